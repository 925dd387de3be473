"""The laws of a user's state: order, repetition and replay."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.config import Config
from penchant.domain.rewards import SignalTable
from penchant.domain.settings import FoldSettings
from penchant.domain.types import Event
from penchant.service.event_results import EventStatus
from penchant.service.rank import RankRequest
from penchant.service.rebuilt_records import rebuild_records, rebuild_user
from penchant.store.codec import encode_record
from penchant.store.users import scan_user_ids
from tests.support.histories import FILMS, USERS, events
from tests.support.world import World, copy_of, liked, shuffled_batches

SMALL = FoldSettings(window_events=5)
SIZES = st.lists(st.integers(1, 5), max_size=6)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Six films and a window of five events; tests copy its store."""
    world = World(tmp_path_factory.mktemp("films"), fold=SMALL)
    world.put(**FILMS)
    return world


def fed(films: World, batches: list[list[Event]]) -> World:
    """A world that has received these batches, each in one call and one transaction."""
    world = World(films.directory, store=copy_of(films.store), fold=SMALL)
    for batch in batches:
        world.feed(*batch)
    return world


def configured(config: Config) -> tuple[SignalTable, int]:
    """The settings on which a record depends."""
    return config.signals, config.fold.window_events


def records(world: World) -> dict[str, bytes]:
    with world.store.snapshot() as snapshot:
        return {user: world.record_bytes(user) for user in scan_user_ids(snapshot)}


def logs(world: World) -> dict[str, set[Event]]:
    return {user: {row.event for row in world.log(user)} for user in USERS}


@given(
    history=events(), again=st.integers(0, 12), order=st.randoms(use_true_random=False), sizes=SIZES
)
def test_any_order_and_any_repetition_give_the_same_record_byte_for_byte(
    films: World, history: list[Event], again: int, order: random.Random, sizes: list[int]
) -> None:
    once = fed(films, [history])
    arrived = history + history[:again]
    order.shuffle(arrived)
    other = fed(films, shuffled_batches(arrived, sizes))
    assert records(other) == records(once)
    assert logs(other) == logs(once)
    for user in USERS:
        one, two = (world.rank(RankRequest(user, 10)) for world in (once, other))
        assert one.state_version == two.state_version
        assert one.ids == two.ids or one.scores == pytest.approx(two.scores, abs=1e-4)


@given(history=events(max_size=15), sizes=SIZES)
def test_a_record_rebuilt_from_the_log_equals_the_live_one_byte_for_byte(
    films: World, history: list[Event], sizes: list[int]
) -> None:
    world = fed(films, shuffled_batches(history, sizes))
    live = records(world)
    with world.store.snapshot() as snapshot:
        for user, record in live.items():
            rebuilt = rebuild_user(snapshot, world.log(user), *configured(world.config)).record
            assert encode_record(rebuilt) == record
    assert rebuild_records(world.store, *configured(world.config)) == len(live)
    assert records(world) == live


@given(history=events(), sizes=SIZES)
def test_a_replayed_event_changes_nothing(
    films: World, history: list[Event], sizes: list[int]
) -> None:
    world = fed(films, [history])
    with world.store.snapshot() as snapshot:
        before = list(snapshot.scan(b""))
    for batch in shuffled_batches(history, sizes):
        assert {result.status for result in world.feed(*batch)} == {EventStatus.DUPLICATE}
    with world.store.snapshot() as snapshot:
        assert list(snapshot.scan(b"")) == before


@given(history=events(), sizes=SIZES)
def test_the_state_version_counts_the_users_accepted_events(
    films: World, history: list[Event], sizes: list[int]
) -> None:
    world = fed(films, shuffled_batches(history, sizes))
    for user in USERS:
        versions = [row.state_version for row in world.log(user)]
        assert versions == list(range(1, len(versions) + 1))
        assert world.rank(RankRequest(user, 1)).state_version == len(versions)


@given(history=events())
def test_a_cached_fold_equals_a_fold_made_anew(films: World, history: list[Event]) -> None:
    world = fed(films, [history])
    cached = {user: world.users.get(user).interest for user in records(world)}
    rebuild_records(world.store, *configured(world.config))
    for user, interest in cached.items():
        state = world.state(user)
        assert state is not None
        assert state.interest is None
        anew = world.users.get(user).interest
        np.testing.assert_array_equal(anew.slow, interest.slow)
        np.testing.assert_array_equal(anew.fast, interest.fast)


@given(history=events())
def test_one_users_events_do_not_touch_anothers_record(films: World, history: list[Event]) -> None:
    everything = records(fed(films, [history]))
    for user in everything:
        own = [event for event in history if event.user == user]
        assert records(fed(films, [own])) == {user: everything[user]}


def test_rebuilding_reads_old_events_as_the_configuration_does_now(films: World) -> None:
    world = fed(films, [[liked("e1", "toy", signal="click"), liked("e2", "heat")]])
    config = Config(
        store="memory:",
        encoder=films.directory,
        fold=FoldSettings(window_events=1),
        signals={"click": world.config.signals["dislike"], "like": world.config.signals["like"]},
    )
    rebuild_records(world.store, *configured(config))
    assert world.record("u").state_version == 2
    assert len(world.record("u").window) == 1


def test_rebuilding_does_not_bring_a_forgotten_user_back(
    films: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = fed(films, [[liked("e1", "toy"), liked("e1", "toy", user="v")]])
    begin = world.store.transaction

    def forget_first() -> object:
        monkeypatch.setattr(world.store, "transaction", begin)
        world.users.forget("v")
        return begin()

    monkeypatch.setattr(world.store, "transaction", forget_first)
    rebuild_records(world.store, *configured(world.config))
    assert set(records(world)) == {"u"}
