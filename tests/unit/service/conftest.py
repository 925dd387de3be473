"""A world of services, in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.histories import FILMS
from tests.support.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Six films and no events."""
    world = World(tmp_path)
    world.put(**FILMS)
    return world
