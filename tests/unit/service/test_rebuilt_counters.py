"""A rebuild of the counters gives what the log says, whatever the store held before."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from penchant.domain.types import Counters, Event
from penchant.domain.user_contribution import credit
from penchant.service.rebuilt_counters import RebuiltCounters, rebuild_counters
from penchant.service.rebuilt_records import rebuild_records
from penchant.store.counters import write_counters
from penchant.store.item_contributions import CATALOG, write_contribution
from penchant.store.keys import Kind, encode
from penchant.store.lmdb import LmdbStore
from tests.support.world import World, liked
from tests.unit.service.test_item_counts import EVENTS, assert_same_counts, counters, new_world


def rebuilt(world: World) -> RebuiltCounters:
    return rebuild_counters(world.store, world.config.signals, world.config.offset_half_life_s)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return new_world(tmp_path)


@given(events=EVENTS)
def test_rebuilt_counters_equal_the_live_ones(
    tmp_path_factory: pytest.TempPathFactory, events: Sequence[Event]
) -> None:
    live = new_world(tmp_path_factory.mktemp("live"))
    live.feed(*events)
    other = new_world(tmp_path_factory.mktemp("rebuilt"))
    other.feed(*events)
    with other.store.transaction() as transaction:  # An older release, and a damage.
        for key, _ in list(transaction.scan(encode(Kind.CONTRIBUTION))):
            transaction.delete(key)
        write_counters(transaction, 0, Counters(460.0, 3.0, events[0].occurred_at_us))
        transaction.put(encode(Kind.COUNTERS, 1), b"\x04garbage")
    assert rebuilt(other).users == len({event.user for event in events})
    assert_same_counts(live, other)


def test_the_running_writer_counts_on_from_rebuilt_counters(world: World) -> None:
    with world.store.transaction() as transaction:
        write_counters(transaction, 0, Counters(460.0, 0.0, world.now_us))
    running = World(world.directory, store=world.store)  # Holds the wrong counters in memory.
    running.feed(liked("e1", "heat"))
    assert running.view().offsets[0] > running.view().offsets[1]
    rebuilt(running)
    running.feed(liked("e2", "heat", user="v"))
    assert running.view().offsets[0] < running.view().offsets[1]
    fresh = World(world.directory, store=world.store)
    assert running.view().offsets.tolist() == pytest.approx(
        fresh.read_item_biases().values(3).tolist(), abs=1e-4
    )


def test_events_that_arrive_during_a_rebuild_are_counted_once(tmp_path: Path) -> None:
    world = World(tmp_path / "catalog", store=LmdbStore(tmp_path / "store", map_bytes=1 << 26))
    world.put(toy="toys", heat="a heist", dune="a desert")
    films = ["toy", "heat", "dune"]
    world.feed(*(liked(f"e{n}", films[n % 3], user=f"u{n % 50}") for n in range(300)))
    stop = threading.Event()

    def feed() -> None:
        call = 0
        while not stop.is_set():
            call += 1
            world.feed(liked(f"late{call}", films[call % 3], user=f"v{call % 70}"))

    feeder = threading.Thread(target=feed)
    feeder.start()
    for _ in range(5):
        rebuilt(world)
    stop.set()
    feeder.join()
    live = counters(world)
    rebuilt(world)
    for number, after in counters(world).items():
        assert live[number].positives == pytest.approx(after.positives, rel=1e-6)
    world.store.close()


def test_the_credit_of_an_items_text_outlives_a_rebuild(world: World) -> None:
    with world.store.transaction() as transaction:
        write_contribution(transaction, 0, CATALOG, credit(Counters(5.0, 0.0, world.now_us)))
    rebuilt(world)
    assert counters(world)[0].positives == 5.0


def test_events_of_retired_signals_count_for_nothing_and_are_named(world: World) -> None:
    world.feed(liked("e1", "toy"), liked("e2", "heat", signal="rating", value=5.0))
    world.feed(liked("e3", "heat", user="v", signal="rating", value=1.0))
    signals = {name: row for name, row in world.config.signals.items() if name != "rating"}
    made = rebuild_counters(world.store, signals, world.config.offset_half_life_s)
    ((kind, remedy, count),) = made.retired.cases()
    assert ("'rating'" in kind, count) == (True, 2)
    assert remedy.startswith("2 users; add the signal to the table")
    assert 1 not in counters(world)
    assert rebuild_records(world.store, signals, 256, retired=made.retired) == 2
    assert len(world.record("u").window) == 1
    assert world.record("u").state_version == 2


def test_a_user_with_a_damaged_log_keeps_what_was_counted(world: World) -> None:
    world.feed(liked("e1", "toy"), liked("e1", "heat", user="v"))
    before = counters(world)
    with world.store.transaction() as transaction:
        ((key, value),) = transaction.scan(encode(Kind.LOG, "u"))
        transaction.put(key, value[:-1] + bytes([value[-1] ^ 1]))
    made = rebuilt(world)
    assert (made.users, made.unreadable) == (1, 1)
    assert counters(world) == before
    assert np.isfinite(world.view().offsets).all()
