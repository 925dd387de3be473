"""The gauges of a store."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from penchant.refresh.refresh import refresh_store
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.server import gauges
from penchant.server.gauges import StoreGauges
from penchant.store.ship_notes import ShippingState, write_shipping
from tests.support.world import World, liked


def named(gauges: StoreGauges) -> dict[str, float]:
    return {name: value for (name, _), value in gauges.read().items()}


def test_gauges_show_what_the_store_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Users are counted a few at a time, and each once."""
    monkeypatch.setattr(gauges, "USERS_AT_A_TIME", 3)
    world = World(tmp_path)
    world.put(toy="toy story", heat="heat")
    gauges_ = StoreGauges(world.store, world.catalogs)

    def read() -> dict[str, float]:
        return named(gauges_)

    assert read()["penchant_users"] == 0
    world.feed(*[liked(f"e{number}", "toy", user=f"u{number}") for number in range(7)])
    assert [read()["penchant_users"] for _ in range(4)] == [0, 0, 7, 7]
    found = read()
    assert found["penchant_items"] == 2
    assert found["penchant_rollout"] == 0
    assert found["penchant_catalog_version"] == world.view().head.version
    assert "penchant_refresh_age_seconds" not in found
    assert found["penchant_refresh_new_events"] == 7


def test_gauges_show_how_the_clock_goes(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put(toy="toy story", heat="heat")
    world.feed(liked("e1", "toy"), liked("e2", "heat"))
    refresh_store(world.store, tmp_path, world.config, RefreshSettings())
    world.feed(liked("e3", "toy"), liked("e3", "toy"))
    found = named(StoreGauges(world.store, world.catalogs))
    assert found["penchant_refresh_new_events"] == 1
    assert found["penchant_refresh_failures"] == 0
    assert 0 <= found["penchant_refresh_age_seconds"] < 3600
    assert found["penchant_refresh_duration_seconds"] > 0


def test_gauges_show_how_long_ago_all_was_shipped(tmp_path: Path) -> None:
    world = World(tmp_path)
    read = StoreGauges(world.store, world.catalogs)
    assert "penchant_ship_age_seconds" not in named(read)
    at_us = round(time.time() * 1e6) - 60_000_000
    with world.store.transaction() as transaction:
        write_shipping(transaction, ShippingState("place", "/log", at_us=at_us))
    assert named(read)["penchant_ship_age_seconds"] == pytest.approx(60, abs=30)


def test_gauges_show_what_is_served_and_how_old_it_is(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put(toy="toy story", heat="heat")
    event = liked("e1", "toy")
    world.feed(event)
    found = StoreGauges(world.store, world.catalogs, tmp_path).read()
    head = world.view().head
    info = ("release", head.release), ("encoder", head.encoder_version)
    assert found["penchant_release_info", info] == 1
    names = {name for name, _ in found}
    assert "penchant_release_age_seconds" not in names
    age_s = found["penchant_newest_event_age_seconds", ()]
    assert age_s == pytest.approx(time.time() - event.occurred_at_us / 1e6, abs=60)
    disk = shutil.disk_usage(tmp_path)
    assert found["penchant_disk_free_ratio", ()] == pytest.approx(disk.free / disk.total, abs=0.1)


def test_a_store_that_was_moved_away_costs_only_what_its_disk_says(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put(toy="toy story")
    names = {name for name, _ in StoreGauges(world.store, world.catalogs, tmp_path / "gone").read()}
    assert "penchant_items" in names
    assert "penchant_disk_free_ratio" not in names


def test_the_drift_of_item_vectors_is_that_between_two_catalog_versions(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put(toy="toy story", heat="heat")
    watched = StoreGauges(world.store, world.catalogs)
    assert "penchant_item_vector_drift" not in named(watched)
    world.feed(
        *[liked(f"e{n}", item, user=f"u{n // 2}") for n, item in enumerate(["toy", "heat"] * 20)]
    )
    before = world.view()
    old = np.array(before.vectors[: before.head.rows])
    refresh_store(world.store, tmp_path, world.config, RefreshSettings())
    found = named(watched)["penchant_item_vector_drift"]
    new = world.view().vectors[: before.head.rows]
    norms = np.linalg.norm(old, axis=1) * np.linalg.norm(new, axis=1)
    assert found == pytest.approx(1 - float(((old * new).sum(axis=1) / norms).mean()), abs=1e-5)
    assert named(watched)["penchant_item_vector_drift"] == found
