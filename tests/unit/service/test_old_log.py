"""An imported log of years ago is ranked as of its own end, personal part and popularity alike."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from penchant.domain.types import Event
from penchant.service.rank import RankRequest
from penchant.store.keys import Kind, encode
from tests.support.world import NOW_US, SECOND_US, World, liked
from tests.unit.service.test_item_counts import new_world

DAY_US = 86_400 * SECOND_US
THEN_US = NOW_US - 3 * 365 * DAY_US


def then(event_id: str, item: str, user: str, signal: str = "like") -> Event:
    event = liked(event_id, item, user=user, signal=signal)
    return dataclasses.replace(event, occurred_at_us=THEN_US - int(event_id) * SECOND_US)


OLD_LOG = [
    then("1", "toy", "ann"),
    then("2", "heat", "bob"),
    then("3", "heat", "cyd"),
    then("4", "dune", "ann", "dislike"),
]


def test_an_old_log_ranks_now_as_it_did_at_its_end(tmp_path: Path) -> None:
    at_its_end, now = new_world(tmp_path / "then"), new_world(tmp_path / "now")
    at_its_end.now_us = THEN_US + DAY_US
    at_its_end.feed(*OLD_LOG)
    now.feed(*OLD_LOG)
    for user in ("ann", "bob", "stranger"):
        expected = at_its_end.rank(RankRequest(user, 3))
        found = now.rank(RankRequest(user, 3))
        assert (found.ids, found.scores) == (expected.ids, expected.scores)
    assert now.users.get("ann").interest.slow == pytest.approx(
        at_its_end.users.get("ann").interest.slow
    )


def test_an_event_of_today_fades_the_old_log_for_everyone(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    world.feed(*OLD_LOG)
    slow = world.users.get("ann").interest.slow
    world.feed(liked("today", "dune", user="dan"))
    assert abs(world.users.get("ann").interest.slow).max() < 1e-6 < abs(slow).max()
    assert world.rank(RankRequest("stranger", 1)).ids == ["dune"]


def test_while_events_arrive_the_clock_goes_on(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    world.feed(liked("e", "toy"))
    first = world.users.get("u").interest.slow
    world.now_us += 60 * DAY_US
    late = dataclasses.replace(liked("e", "heat", user="v"), occurred_at_us=world.now_us)
    world.feed(late)
    faded = world.users.get("u").interest.slow
    assert abs(faded).max() == pytest.approx(abs(first).max() / 4, rel=0.1)


def test_a_replay_at_a_time_of_its_own_is_not_bounded(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    world.feed(liked("e", "toy"))
    soon = world.rank(RankRequest("u", 3, as_of_us=NOW_US)).scores
    late = world.rank(RankRequest("u", 3, as_of_us=NOW_US + 90 * DAY_US)).scores
    assert soon != late


def test_a_damaged_time_of_the_newest_event_is_written_again(tmp_path: Path) -> None:
    world = new_world(tmp_path)
    world.feed(*OLD_LOG)
    before = world.rank(RankRequest("ann", 3)).scores
    with world.store.transaction() as transaction:
        transaction.put(encode(Kind.NEWEST), b"\x04garbage")
    again = World(world.directory, store=world.store)
    again.feed(then("9", "heat", "bob"))
    assert again.rank(RankRequest("ann", 3)).scores == pytest.approx(before, abs=1e-3)
