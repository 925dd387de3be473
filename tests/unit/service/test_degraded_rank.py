"""Rankings go on from what was read last while the store is away, and say so."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from penchant.domain.errors import StateBehind, StoreUnavailable
from penchant.domain.types import UserState
from penchant.service.rank import Ranking, RankRequest
from penchant.store.base import Snapshot
from penchant.store.guarded_store import GuardedStore
from penchant.store.memory import MemoryStore
from penchant.store.remembered_rows import RememberedRows
from penchant.store.users import read_user
from tests.support.absent_store import AbsentStore
from tests.support.world import World, liked

TIMEOUT_S = 0.2


def _ranked(world: World, *users: str, min_state_version: int = 0) -> list[Ranking]:
    results = world.rank_all(
        [RankRequest(user, 3, min_state_version=min_state_version) for user in users]
    )
    for result in results:
        assert isinstance(result, Ranking), result
    return [result for result in results if isinstance(result, Ranking)]


@pytest.fixture
def engine() -> AbsentStore:
    return AbsentStore(MemoryStore(), TIMEOUT_S)


@pytest.fixture
def world(tmp_path: Path, engine: AbsentStore) -> World:
    world = World(tmp_path, store=GuardedStore(engine, RememberedRows()))
    world.put(**{letter: f"item {letter}" for letter in "abcdefgh"})
    return world


def test_a_known_user_is_ranked_by_the_last_state_and_an_unknown_one_by_the_prior(
    world: World, engine: AbsentStore
) -> None:
    world.feed(liked("about c", "c", user="anna"))
    (before,) = _ranked(world, "anna")
    (prior,) = _ranked(world, "nobody")
    assert not before.degraded
    engine.leave()
    known, unknown = _ranked(world, "anna", "stranger")
    assert (known.ids, known.scores) == (before.ids, before.scores)
    assert (known.degraded, known.state_version, known.cold_start) == (True, 1, False)
    assert (unknown.degraded, unknown.cold_start, unknown.ids) == (True, True, prior.ids)
    assert world.meter.degradations == 2
    engine.come_back()


def test_only_the_first_ranking_waits_for_a_store_that_is_away(
    world: World, engine: AbsentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ranked(world, "anna")
    engine.leave()
    _ranked(world, "anna")
    asking: list[threading.Thread] = []
    answer = engine.answer

    def heard() -> None:
        asking.append(threading.current_thread())
        answer()

    monkeypatch.setattr(engine, "answer", heard)
    for _ in range(20):
        assert _ranked(world, "anna")[0].degraded
    assert threading.current_thread() not in asking  # Only the thread that waits for its return.
    with pytest.raises(StoreUnavailable, match="send the call again"):
        world.feed(liked("about d", "d", user="anna"))
    engine.come_back()
    deadline = time.monotonic() + 60
    while _ranked(world, "anna")[0].degraded:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    world.feed(liked("about d", "d", user="anna"))
    assert _ranked(world, "anna", min_state_version=1)[0].state_version == 1


def test_a_state_version_that_was_asked_for_is_still_kept(
    world: World, engine: AbsentStore
) -> None:
    world.feed(liked("about c", "c", user="anna"))
    _ranked(world, "anna")
    engine.leave()
    assert _ranked(world, "anna", min_state_version=1)[0].degraded
    (behind,) = world.rank_all([RankRequest("anna", 3, min_state_version=2)])
    assert isinstance(behind, StateBehind)
    engine.come_back()


def test_a_store_that_leaves_in_the_midst_of_a_batch_costs_nobody_their_ranking(
    world: World, engine: AbsentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.feed(liked("about c", "c", user="anna"))
    _ranked(world, "anna", "bert")
    read = read_user

    def leaves(snapshot: Snapshot, user: str) -> UserState | None:
        if user == "bert":
            engine.leave()
        return read(snapshot, user)

    monkeypatch.setattr("penchant.service.rank.read_user", leaves)
    anna, bert = _ranked(world, "anna", "bert")
    assert (anna.degraded, bert.degraded) == (False, True)
    engine.come_back()
