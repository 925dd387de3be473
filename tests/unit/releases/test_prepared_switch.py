"""A publication is made ready beside its transaction, which stays short, and loses no change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from penchant.catalog.view import CatalogReader
from penchant.config import Config
from penchant.domain.residuals import anchored
from penchant.refresh.item_vectors import RefreshedCatalog
from penchant.refresh.refresh_input import RefreshInput
from penchant.releases import release_rollout, rollback, switch
from penchant.releases.prepared_switch import PreparedResiduals, prepared_reader
from penchant.service.user_interest import read_catalog, rollout_directory
from penchant.store.base import Store
from penchant.store.item_residuals import scan_residuals
from penchant.store.lmdb import LmdbStore
from tests.support.catalogs import assert_same_catalog, second_reader
from tests.support.feeder import MAP_BYTES
from tests.support.released import Releasing
from tests.support.world import liked

ITEMS = 1500


def shop(directory: Path, items: int) -> tuple[Releasing, LmdbStore]:
    store = LmdbStore(directory / "store", map_bytes=MAP_BYTES)
    server = Releasing(directory, store=store)
    server.world.put(**{f"i{n}": f"word{n % 97} film {n}" for n in range(items)})
    for user in range(20):
        events = (
            liked(f"{user}-{n}", f"i{(user % 2 + 2 * n) % items}", user=f"u{user}", ago_s=100 - n)
            for n in range(5)
        )
        server.world.feed(*events)
    return server, store


def test_feedback_beside_a_publication_waits_for_a_small_part_of_it(tmp_path: Path) -> None:
    # One stall of the disk is as long: it does not come three times at the same moment.
    assert any(longest_share(tmp_path / f"try-{number}") < 1 / 3 for number in range(3))


def longest_share(directory: Path) -> float:
    """The longest wait of feedback beside a publication, as a share of its duration."""
    server, store = shop(directory, ITEMS)
    release = server.build("second").id
    waits: list[float] = []
    over = threading.Event()

    def feed() -> None:
        number = 0
        while not over.is_set():
            number += 1
            started = time.perf_counter()
            server.world.feed(liked(f"beside-{number}", f"i{number % ITEMS}", user="beside"))
            waits.append(time.perf_counter() - started)

    feeder = threading.Thread(target=feed)
    feeder.start()
    started = time.perf_counter()
    try:
        server.publish(release)
        whole_s = time.perf_counter() - started
    finally:
        over.set()
        feeder.join()
    store.close()
    assert len(waits) > 10
    return max(waits) / whole_s


def while_made_ready(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Makes a change of the catalog after a publication is made ready, before it switches."""
    staged_in = PreparedResiduals.staged_in

    def staged(store: Store, source: RefreshInput, fresh: RefreshedCatalog) -> PreparedResiduals:
        prepared = staged_in(store, source, fresh)
        change()
        return prepared

    monkeypatch.setattr(PreparedResiduals, "staged_in", staged)


def test_what_changed_while_it_was_made_ready_is_in_the_new_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, store = shop(tmp_path, 40)
    world, release = server.world, server.build("second").id

    def change() -> None:
        world.put(late="a late film", i0="quite another text")
        world.catalog.delete(["i3"])

    while_made_ready(monkeypatch, change)
    server.publish(release)
    view = world.view()
    assert view.head.release == release
    assert view.number("i3") is None
    encoder = world.encoders.of(view.head.encoder_version, view.head.dimensions)
    late, text = encoder.encode(["a late film", "quite another text"])
    np.testing.assert_array_equal(view.texts[view.numbers["late"]], late)
    np.testing.assert_array_equal(view.texts[view.numbers["i0"]], text)
    with store.snapshot() as snapshot:
        assert len(list(scan_residuals(snapshot, view.head.encoder_version))) == 10
    assert_same_catalog(view, second_reader(world))
    store.close()


@pytest.mark.parametrize("step", ["publish", "roll back", "try"])
def test_an_item_put_after_the_texts_were_encoded_has_a_vector_in_the_new_space(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, store = shop(tmp_path, 40)
    world, release = server.world, server.build("second").id
    if step == "roll back":
        server.publish(release)

    def reader(of: Store, directory: Path, config: Config) -> CatalogReader:
        world.put(late="a late film")
        return prepared_reader(of, directory, config)

    for job in (switch, rollback, release_rollout):
        monkeypatch.setattr(job, "prepared_reader", reader)
    if step == "roll back":
        server.roll_back()
        view = world.view()
    elif step == "publish":
        server.publish(release)
        view = world.view()
    else:
        rollout = server.begin(release, "shadow", 1.0)
        place = rollout_directory(world.directory, release)
        with store.snapshot() as snapshot:
            view = read_catalog(snapshot, CatalogReader(place, world.config.fold), rollout.head)
    encoder = world.encoders.of(view.head.encoder_version, view.head.dimensions)
    number = view.numbers["late"]
    np.testing.assert_array_equal(view.texts[number], encoder.encode(["a late film"])[0])
    store.close()


def test_the_residuals_that_were_staged_are_those_of_the_release_also_after_a_rollback(
    tmp_path: Path,
) -> None:
    server, store = shop(tmp_path, 40)
    server.publish(server.build("second").id)
    view = server.world.view()
    server.roll_back()
    assert server.world.view().head.release == ""
    with store.snapshot() as snapshot:
        kept = dict(scan_residuals(snapshot, view.head.encoder_version))
    residuals = np.zeros_like(view.vectors)
    residuals[list(kept)] = list(kept.values())
    assert kept
    np.testing.assert_array_equal(view.vectors, anchored(view.texts, residuals))
    store.close()
