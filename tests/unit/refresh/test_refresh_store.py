"""A refresh beside running services: the version that readers see, and puts during and after it."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from penchant.domain.errors import ConfigError, StoreUnavailable
from penchant.domain.residuals import anchored
from penchant.domain.types import CatalogHead
from penchant.refresh.catalog_update import switch_to_refreshed
from penchant.refresh.item_vectors import fit_item_vectors
from penchant.refresh.refresh import refresh_store
from penchant.refresh.refresh_input import read_refresh_input
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.service.rank import RankRequest
from penchant.store.item_residuals import read_residual
from penchant.store.lmdb import LmdbStore
from tests.support.catalogs import assert_same_catalog, head, ranked, second_reader
from tests.support.watched_encoder import WatchedEncoder
from tests.support.world import World, copy_of, liked

TEXTS = {f"i{number}": f"word{number} film" for number in range(8)}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Four users, each liking the even or the odd items; nobody touched i6 and i7."""
    world = World(tmp_path)
    world.put(**TEXTS)
    for user in range(4):
        for place, number in enumerate(range(user % 2, 6, 2)):
            ago_s = 1000.0 - place
            world.feed(liked(f"{user}-{number}", f"i{number}", user=f"u{user}", ago_s=ago_s))
    return world


def refreshed(world: World) -> CatalogHead:
    settings = RefreshSettings()
    return refresh_store(world.store, world.directory, world.config, settings).head


def test_a_refresh_makes_a_version_that_running_services_follow(world: World) -> None:
    before, texts = head(world), world.view().vectors.copy()
    ranked(world, "u0")
    folds = world.meter.folds
    after = refreshed(world)
    assert (after.version, after.generation) == (before.version + 1, before.generation + 1)
    assert world.rank(RankRequest("u0", 3)).catalog_version == after.version
    assert world.meter.folds == folds + 1
    vectors = world.view().vectors
    np.testing.assert_array_equal(vectors[6:], texts[6:])
    assert (np.abs(vectors[:6] - texts[:6]).max(axis=1) > 0).all()
    assert_same_catalog(world.view(), second_reader(world))


def test_records_and_logs_are_untouched(world: World) -> None:
    records, logs = world.record_bytes("u0"), world.log("u0")
    refreshed(world)
    assert (world.record_bytes("u0"), world.log("u0")) == (records, logs)


def test_offsets_stay_what_they_were(world: World) -> None:
    before = world.view().offsets.copy()
    assert before.any()
    refreshed(world)
    np.testing.assert_array_equal(world.view().offsets, before)
    world.feed(liked("later", "i7", user="u0"))
    assert world.view().offsets[7] > 0


def test_a_repeated_refresh_makes_no_new_version(world: World) -> None:
    assert refreshed(world) == refreshed(world)


def test_a_log_without_events_leaves_the_text_catalog(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put(**TEXTS)
    before = head(world)
    assert refreshed(world) == before


def test_a_store_without_items_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no items"):
        refreshed(World(tmp_path))


def test_a_lost_directory_is_written_again_with_the_same_vectors(world: World) -> None:
    refreshed(world)
    vectors = world.view().vectors.copy()
    shutil.rmtree(world.directory)
    again = World(world.directory, store=copy_of(world.store))
    np.testing.assert_array_equal(again.view().vectors, vectors)


def test_a_changed_text_keeps_its_items_residual(world: World) -> None:
    refreshed(world)
    with world.store.snapshot() as snapshot:
        residual = read_residual(snapshot, world.encoder.version, 0)
    assert residual is not None
    world.put(i0="another text")
    expected = anchored(world.encoder.encode(["another text"]), residual[None])
    np.testing.assert_array_equal(world.view().vectors[0], expected[0])


def test_a_deleted_item_that_comes_back_is_where_it_was(world: World) -> None:
    refreshed(world)
    vectors = world.view().vectors.copy()
    world.catalog.delete(["i0"])
    world.put(i0=TEXTS["i0"])
    np.testing.assert_array_equal(world.view().vectors, vectors)


def test_a_refresh_learns_nothing_from_deleted_items(world: World) -> None:
    world.catalog.delete(["i0"])
    report = refresh_store(world.store, world.directory, world.config, RefreshSettings())
    assert (report.events, report.moved) == (10, 5)


def test_a_new_encoder_starts_from_its_texts_alone(world: World) -> None:
    refreshed(world)
    other = WatchedEncoder("e1e1e1e1e1e1e1e1")
    again = World(world.directory, store=world.store, encoder=other)
    again.put(i8="one more")
    expected = other.encode([*TEXTS.values(), "one more"])
    np.testing.assert_array_equal(again.view().vectors, expected)


def test_what_was_put_while_the_refresh_computed_is_kept(world: World) -> None:
    with world.store.snapshot() as snapshot:
        source = read_refresh_input(snapshot, world.config)
    fresh = fit_item_vectors(source.events, source.texts)
    world.put(late="a late one", i0="changed meanwhile")
    with world.store.transaction() as transaction:
        switch_to_refreshed(transaction, world.directory, world.config, source, fresh)
    vectors = world.view().vectors
    texts = world.encoder.encode(["a late one", "changed meanwhile"])
    np.testing.assert_array_equal(vectors[8], texts[0])
    expected = anchored(texts[1:], fresh.residuals[source.numbers[0], None])
    np.testing.assert_array_equal(vectors[0], expected[0])


def test_a_new_encoder_meanwhile_refuses_the_refresh(world: World) -> None:
    with world.store.snapshot() as snapshot:
        source = read_refresh_input(snapshot, world.config)
    fresh = fit_item_vectors(source.events, source.texts)
    again = World(world.directory, store=world.store, encoder=WatchedEncoder("e1e1e1e1e1e1e1e1"))
    again.put(i8="one more")
    before = head(world)
    with (
        pytest.raises(StoreUnavailable, match="encoder changed"),
        world.store.transaction() as transaction,
    ):
        switch_to_refreshed(transaction, world.directory, world.config, source, fresh)
    assert head(world) == before


def test_a_refresh_that_fails_midway_leaves_the_catalog_as_it_was(world: World) -> None:
    before = world.view()
    with world.store.snapshot() as snapshot:
        source = read_refresh_input(snapshot, world.config)
    fresh = fit_item_vectors(source.events, source.texts)

    def fail_before_the_commit() -> None:
        with world.store.transaction() as transaction:
            switch_to_refreshed(transaction, world.directory, world.config, source, fresh)
            raise KeyError

    with pytest.raises(KeyError):
        fail_before_the_commit()
    assert_same_catalog(before, second_reader(world))
    world.put(new="new")
    assert_same_catalog(world.view(), second_reader(world))


def test_readers_never_see_vectors_of_two_versions(tmp_path: Path) -> None:
    """Refreshes and puts alternate in two threads while a third reads."""
    world = World(tmp_path / "catalog", store=LmdbStore(tmp_path / "store", map_bytes=1 << 28))
    world.put(**TEXTS)
    for user in range(3):
        for number in range(6):
            world.feed(liked(f"{user}-{number}", f"i{number}", user=f"u{user}"))
    seen: dict[tuple[int, int], set[bytes]] = {}
    done = threading.Event()
    failures: list[BaseException] = []

    def read() -> None:
        try:
            while not done.is_set():
                view = second_reader(world)
                key = (view.head.version, view.head.log_length)
                seen.setdefault(key, set()).add(view.vectors.tobytes())
        except BaseException as error:  # noqa: BLE001 - shown by the main thread
            failures.append(error)

    def put() -> None:
        try:
            for number in range(12):
                world.put(i7=f"text {number}", **{f"new{number}": f"new {number}"})
        except BaseException as error:  # noqa: BLE001 - shown by the main thread
            failures.append(error)

    threads = [threading.Thread(target=read), threading.Thread(target=put)]
    for thread in threads:
        thread.start()
    for turn in range(12):
        settings = RefreshSettings(shrinkage=1.0 + turn)
        refresh_store(world.store, world.directory, world.config, settings)
    threads[1].join()
    done.set()
    threads[0].join()
    assert failures == []
    assert all(len(contents) == 1 for contents in seen.values())
    assert head(world).rows == 20
    assert_same_catalog(world.view(), second_reader(world))
    world.store.close()
