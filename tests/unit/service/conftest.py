"""A world of services, in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.world import World

FILMS = {
    "toy": "toy story animation comedy",
    "bug": "a bug life animation comedy",
    "alien": "alien horror space",
    "gravity": "gravity space drama",
    "heat": "heat crime drama",
    "babe": "babe pig comedy",
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Six films, nobody's events."""
    world = World(tmp_path)
    world.put(**FILMS)
    return world
