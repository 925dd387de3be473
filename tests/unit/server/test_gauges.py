"""The gauges of a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.refresh.refresh import refresh_store
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.server import gauges
from penchant.server.gauges import StoreGauges
from tests.support.world import World, liked


def test_gauges_show_what_the_store_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Users are counted a few at a time, and each once."""
    monkeypatch.setattr(gauges, "USERS_AT_A_TIME", 3)
    world = World(tmp_path)
    world.put(toy="toy story", heat="heat")
    read = StoreGauges(world.store).read
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
    found = StoreGauges(world.store).read()
    assert found["penchant_refresh_new_events"] == 1
    assert found["penchant_refresh_failures"] == 0
    assert 0 <= found["penchant_refresh_age_seconds"] < 3600
    assert found["penchant_refresh_duration_seconds"] > 0
