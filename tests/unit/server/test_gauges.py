"""The gauges of a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.server import gauges
from penchant.server.gauges import StoreGauges
from tests.support.world import World, liked


def test_gauges_show_what_the_store_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Users are counted a few at a time, and each once."""
    monkeypatch.setattr(gauges, "USERS_AT_A_TIME", 3)
    world = World(tmp_path)
    world.put(toy="toy story", heat="heat")
    read = StoreGauges(world.store, tmp_path).read
    assert read()["penchant_users"] == 0
    world.feed(*[liked(f"e{number}", "toy", user=f"u{number}") for number in range(7)])
    assert [read()["penchant_users"] for _ in range(4)] == [0, 0, 7, 7]
    found = read()
    assert found["penchant_items"] == 2
    assert found["penchant_rollout"] == 0
    assert found["penchant_catalog_version"] == world.view().head.version
    assert "penchant_refresh_age_seconds" not in found
