"""Catalog: lost files, failing encoders, and another encoder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from penchant.catalog import item_biases
from penchant.domain.errors import EncoderUnavailable, StateCorrupt, StoreUnavailable
from penchant.refresh.refresh import refresh_store
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.service.catalog import GetRequest
from penchant.service.rank import RankRequest
from penchant.service.rebuilt_records import rebuild_records
from penchant.store.base import Store
from penchant.store.keys import Kind, encode
from tests.support.catalogs import assert_same_catalog, head, ranked, second_reader
from tests.support.watched_encoder import WatchedEncoder
from tests.support.world import World, liked


def test_a_lost_directory_is_built_again_with_the_same_rankings(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_biases, "WHOLE_EVERY_S", 0.0)
    world.catalog.delete(["babe"])
    world.feed(liked("e1", "toy"), liked("e2", "alien", signal="dislike"), liked("e3", "heat"))
    before = ranked(world)
    shutil.rmtree(world.directory)
    rebuilt = World(world.directory, store=world.store)
    assert ranked(rebuilt) == before
    assert rebuilt.encoder.encoded == []


def test_a_directory_lost_under_a_reader_is_store_unavailable(world: World) -> None:
    shutil.rmtree(world.directory)
    with pytest.raises(StoreUnavailable, match="restart the server"):
        second_reader(world)


def test_lost_vectors_of_texts_are_said_and_put_again_with_their_items(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    before = ranked(world)
    with world.store.transaction() as transaction:
        for key, _ in list(transaction.scan(encode(Kind.TEXT_VECTOR))):
            transaction.delete(key)
    shutil.rmtree(world.directory)
    rebuilt = World(world.directory, store=world.store)
    assert "put the item again" in caplog.text
    assert len(ranked(rebuilt)) == len(before)
    texts = {
        item.id: item.text for item in rebuilt.catalog.get(GetRequest(rebuilt.view().ids)).items
    }
    assert rebuilt.put(**texts).encoded == len(texts)
    assert ranked(rebuilt) == before


@pytest.fixture
def refreshed(world: World) -> World:
    """A world whose catalog has all kinds of files, and likes that move the offsets."""
    world.feed(liked("e1", "toy"), liked("e2", "alien", signal="dislike"), liked("e3", "heat"))
    world.feed(liked("e4", "bug", user="v"), liked("e5", "toy", user="v"))
    settings = RefreshSettings()
    refresh_store(world.store, world.directory, world.config, settings)
    assert head(world).neighbours
    return world


def garble(path: Path) -> None:
    size = path.stat().st_size
    path.write_bytes(np.random.default_rng(1).bytes(size))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "empty": lambda path: os.truncate(path, 0),
    "short": lambda path: os.truncate(path, 100),
    "garbled": garble,
    "one bit": lambda path: path.write_bytes(
        bytes([path.read_bytes()[0] ^ 64]) + path.read_bytes()[1:]
    ),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", ["vectors", "offsets", "version", "neighbours"])
def test_a_damaged_file_is_written_again_and_never_served(
    refreshed: World,
    kind: str,
    damage: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(item_biases, "WHOLE_EVERY_S", 0.0)
    refreshed.feed(liked("e6", "gravity"))
    refresh_store(refreshed.store, refreshed.directory, refreshed.config, RefreshSettings())
    before = ranked(World(refreshed.directory, store=refreshed.store), "stranger")
    (path,) = sorted(refreshed.directory.glob(f"{kind}-*"))[-1:]
    DAMAGES[damage](path)
    caplog.clear()
    mended = World(refreshed.directory, store=refreshed.store)
    after = ranked(mended, "stranger")
    assert sorted(id_ for id_, _ in after) == sorted(id_ for id_, _ in before)
    if kind in ("vectors", "offsets"):
        assert after == before
        assert not head(mended).lost
    else:
        assert "lost" in caplog.text
        assert "penchant refresh" in caplog.text
        assert head(mended).lost == ("neighbours" if kind == "neighbours" else "priors")
        refresh_store(mended.store, mended.directory, mended.config, RefreshSettings())
        assert ranked(mended, "stranger") == before
        assert not head(mended).lost
    if kind != "offsets" or damage not in ("one bit", "zeros"):  # These may be offsets.
        assert f"{kind}-" in caplog.text
    caplog.clear()
    World(refreshed.directory, store=refreshed.store)
    assert not caplog.text, "once is enough"
    mended.put(new="a new film")
    assert len(second_reader(mended).numbers) == len(before) + 1


def test_a_reader_serves_no_file_that_is_damaged_under_it(refreshed: World) -> None:
    garble(refreshed.directory / f"vectors-{head(refreshed).generation}.f32")
    with pytest.raises(StoreUnavailable, match="damaged"):
        second_reader(refreshed)


@pytest.mark.parametrize("kind", [Kind.ITEM, Kind.CHANGE, Kind.COUNTERS, Kind.RESIDUAL, Kind.LOG])
def test_one_corrupt_row_costs_no_start_and_no_other_row(
    refreshed: World, kind: Kind, caplog: pytest.LogCaptureFixture
) -> None:
    before = dict(ranked(refreshed))
    flip_first(refreshed.store, kind)
    shutil.rmtree(refreshed.directory)
    again = World(refreshed.directory, store=refreshed.store)
    assert ranked(again, "v")
    assert set(dict(ranked(again))) == set(before)
    assert len(again.feed(liked("e9", "toy"))) == 1
    refresh_store(again.store, again.directory, again.config, RefreshSettings())
    rebuild_records(again.store, again.config.signals, again.config.fold.window_events)
    texts = {item.id: item.text for item in again.catalog.get(GetRequest(["toy", "heat"])).items}
    assert texts
    assert caplog.text
    assert all(record.levelname in ("WARNING", "ERROR") for record in caplog.records)


def test_a_corrupt_item_is_repaired_by_putting_it_again(world: World) -> None:
    texts = {item.id: item.text for item in world.catalog.get(GetRequest(world.view().ids)).items}
    before = ranked(world)
    flip_first(world.store, Kind.ITEM)
    assert world.put(**texts).changed == 1
    assert ranked(world) == before
    assert ranked(World(world.directory, store=world.store)) == before


def test_a_corrupt_record_is_repaired_by_a_rebuild(refreshed: World) -> None:
    before = ranked(refreshed)
    flip_first(refreshed.store, Kind.USER)
    with pytest.raises(StateCorrupt):
        ranked(refreshed)
    assert ranked(refreshed, "v")
    rebuild_records(refreshed.store, refreshed.config.signals, refreshed.config.fold.window_events)
    assert ranked(refreshed) == before


def flip_first(store: Store, kind: Kind) -> None:
    """Flips a bit in the first value of a kind."""
    with store.transaction() as transaction:
        key, value = next(iter(transaction.scan(encode(kind))))
        transaction.put(key, value[:-1] + bytes([value[-1] ^ 1]))


@pytest.mark.parametrize("dimensions", [64, 8])
def test_another_encoder_encodes_everything_anew(world: World, dimensions: int) -> None:
    world.catalog.delete(["babe"])
    world.feed(liked("e1", "toy"))
    encoder = WatchedEncoder("c0c0c0c0c0c0c0c0", dimensions)
    changed = World(world.directory, store=world.store, encoder=encoder)
    result = changed.put(heat="heat crime drama")
    assert (result.changed, result.unchanged, result.encoded) == (0, 1, 5)
    assert head(changed).encoder_version == encoder.version
    view = second_reader(changed)
    texts = {item.id: item.text for item in changed.catalog.get(GetRequest(view.ids)).items}
    assert sorted(texts) == ["alien", "bug", "gravity", "heat", "toy"]
    for id_, text in texts.items():
        np.testing.assert_array_equal(view.vectors[view.numbers[id_]], encoder.encode([text])[0])
    assert changed.rank(RankRequest("u", 3)).encoder_version == encoder.version


def test_a_query_is_not_compared_with_another_encoders_vectors(world: World) -> None:
    changed = World(world.directory, store=world.store, encoder=WatchedEncoder("c0c0c0c0c0c0c0c0"))
    with pytest.raises(EncoderUnavailable, match="put the items again"):
        changed.rank(RankRequest("u", 3, query="comedy"))
    assert len(changed.rank(RankRequest("u", 3)).ids) == 3


def test_a_failing_encoder_changes_nothing(world: World) -> None:
    before, view = head(world), world.view()
    world.encoder.break_down()
    with pytest.raises(EncoderUnavailable):
        world.put(toy="toy story animation comedy", new="a new film")
    assert head(world) == before
    assert world.catalog.get(GetRequest(["new"])).unknown == ["new"]
    assert_same_catalog(second_reader(world), view)


def test_an_encoder_that_fails_midway_changes_nothing(world: World) -> None:
    before = head(world)
    world.encoder.fails_at = "film 40"
    with pytest.raises(EncoderUnavailable):
        world.put(**{f"i{number}": f"film {number}" for number in range(60)})
    assert head(world) == before
