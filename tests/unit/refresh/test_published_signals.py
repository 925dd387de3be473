"""Learnt factors of signals from a refresh to the score: published, said, explained, replayed."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.domain.signal_weights import read_signal_weights
from penchant.domain.types import Event
from penchant.refresh.refresh import RefreshResult, refresh_store
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.service.rank import RankRequest
from penchant.service.rebuilt_records import rebuild_records
from penchant.store.memory import MemoryStore
from penchant.store.refresh_note import read_refresh_note
from tests.support.signal_logs import CART, shop_rows
from tests.support.world import NOW_US, World, copy_of

ITEMS, EVENTS, BATCH = 160, 4000, 200


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> MemoryStore:
    """A store whose views tell nothing about its purchases, and its carts do."""
    world = World(tmp_path_factory.mktemp("log"))
    world.put(**{f"i{number}": f"word{number} thing" for number in range(ITEMS)})
    rows = shop_rows((CART,), events=EVENTS)
    events = [
        Event(f"e{n}", f"u{user}", f"i{item}", signal, None, NOW_US - (EVENTS - n) * 600 * 10**6)
        for n, (user, item, signal) in enumerate(rows)
    ]
    for start in range(0, EVENTS, BATCH):
        world.feed(*events[start : start + BATCH])
    return copy_of(world.store)


@pytest.fixture
def world(tmp_path: Path, log: MemoryStore) -> World:
    return World(tmp_path, store=copy_of(log))


def refreshed(world: World) -> RefreshResult:
    return refresh_store(world.store, world.directory, world.config, RefreshSettings())


def test_a_refresh_publishes_factors_keeps_them_and_says_them(world: World) -> None:
    before = world.record_bytes("u3")
    result = refreshed(world)
    published = read_signal_weights(world.view().settings.signal_weights)
    assert published == result.weights.signals
    assert published["view"] == 0
    assert world.record_bytes("u3") == before
    with world.store.snapshot() as snapshot:
        note = read_refresh_note(snapshot)
    assert note.learnt == result.weights.sentence
    assert "view not at all" in note.learnt
    assert "The objective is purchase" in note.learnt


def test_the_parts_sum_to_the_score_and_what_weighs_nothing_is_no_reason(world: World) -> None:
    refreshed(world)
    for user in ("u0", "u7", "stranger"):
        ranking = world.rank(RankRequest(user, 30, explain=True))
        for score, why in zip(ranking.scores, ranking.explanations or [], strict=True):
            total = why.offset + why.slow + why.fast + why.near + why.repeat + why.query
            assert total == pytest.approx(score, rel=1e-5, abs=1e-4)
            assert all(one.signal != "view" for one in why.contributions)


def test_rebuilt_records_are_the_live_ones_byte_for_byte_and_rank_the_same(world: World) -> None:
    refreshed(world)
    live = {f"u{user}": world.record_bytes(f"u{user}") for user in range(0, 80, 9)}
    first = {user: world.rank(RankRequest(user, 20)).scores for user in live}
    rebuild_records(world.store, world.config.signals, world.config.fold.window_events)
    for user, bytes_ in live.items():
        assert world.record_bytes(user) == bytes_
        assert world.rank(RankRequest(user, 20)).scores == first[user]


def test_a_second_refresh_of_the_same_log_changes_nothing(world: World) -> None:
    assert refreshed(world).head == refreshed(world).head
