"""How fast live offsets fade: learnt by a refresh, followed by every event, kept by a restart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from penchant.config import with_offset_half_life
from penchant.refresh.refresh import refresh_store
from penchant.refresh.refresh_settings import RefreshSettings
from tests.support.news_log import news
from tests.support.world import World
from tests.unit.evaluation.streams import HOUR_US, stream_of

ITEMS, EVENTS, BATCH = 100, 2400, 200


def newspaper(directory: Path) -> World:
    world = World(directory)
    world.put(**{f"i{number}": f"article {number}" for number in range(ITEMS)})
    events = list(stream_of(news(EVENTS), ITEMS).events)
    for start in range(0, EVENTS, BATCH):
        world.feed(*events[start : start + BATCH])
    return world


def offsets(world: World) -> np.ndarray:  # type: ignore[type-arg]
    return np.array(world.view().offsets[:ITEMS])


def test_what_is_read_now_counts_once_a_refresh_has_learnt_so(tmp_path: Path) -> None:
    world = newspaper(tmp_path)
    newest = EVENTS // 25 - 3
    refreshed = refresh_store(world.store, world.directory, world.config, RefreshSettings())
    assert refreshed.weights.offsets_are_faster
    last = stream_of(news(EVENTS), ITEMS).events[-1]
    grown = []
    for number in range(4):  # With the first event, the writer of feedback takes it up.
        at_us = last.occurred_at_us + (number + 1) * HOUR_US
        event = replace(last, event_id=f"n{number}", user=f"n{number}", occurred_at_us=at_us)
        world.feed(replace(event, item=f"i{newest}"))
        grown.append(offsets(world)[newest])
    assert grown == sorted(set(grown))
    assert offsets(world).argmax() >= newest - 10
    shown = offsets(world)
    # A restart writes all offsets; what came since the refresh counts as of the newest event.
    World(tmp_path, store=world.store)
    np.testing.assert_allclose(offsets(world), shown, rtol=0.05, atol=1e-5)


@pytest.mark.parametrize("why", ["given", "impressions"])
def test_offsets_keep_their_half_life_where_it_was_given_or_rates_count(
    tmp_path: Path, why: str
) -> None:
    world = newspaper(tmp_path)
    config = world.config
    if why == "given":
        config = with_offset_half_life(config, config.offset_half_life_s)
    else:
        shown = stream_of([(0, 0)], ITEMS, ["impression"]).events[0]
        world.feed(replace(shown, event_id="shown", user="seer"))
    refreshed = refresh_store(world.store, world.directory, config, RefreshSettings())
    assert not refreshed.weights.offsets_are_faster
    assert not world.view().frozen.recent
