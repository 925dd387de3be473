"""The clock: refreshes when enough is new, says why not otherwise, and outlives failures."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from penchant.domain.types import Event
from penchant.refresh import refresh_clock
from penchant.refresh.refresh import RefreshRequest, refresh
from penchant.refresh.refresh_clock import RefreshClock
from penchant.refresh.refresh_input import read_refresh_input
from penchant.refresh.refresh_pace import LEAST_EVENTS, LONGEST_S
from penchant.refresh.refresh_turn import RefreshRunning, refresh_turn
from penchant.refresh.remembered_log import RememberedLog
from penchant.store.refresh_note import RefreshNote, read_refresh_note, write_refresh_note
from tests.support.lasting_store import opened_by_jobs
from tests.support.shipped_world import rows_in, ship_once
from tests.support.world import World, liked

EVERY_S = 300.0


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path, store=opened_by_jobs(tmp_path, monkeypatch))
    world.put(**{f"i{number}": f"word{number} thing" for number in range(30)})
    return world


@pytest.fixture
def clock(world: World, tmp_path: Path) -> RefreshClock:
    return RefreshClock(
        RefreshRequest(
            store=f"lmdb:{tmp_path / 'store'}",
            settings=(f"catalog_dir={tmp_path}", f"releases_dir={tmp_path / 'releases'}"),
        ),
        EVERY_S,
    )


def likes(first: int, count: int, users: int = 12) -> list[Event]:
    return [
        liked(
            f"e{number}",
            f"i{(7 * (number % users) + number // users) % 30}",
            user=f"u{number % users}",
            ago_s=100_000.0 - number,
        )
        for number in range(first, first + count)
    ]


def note_of(world: World) -> RefreshNote:
    with world.store.snapshot() as snapshot:
        return read_refresh_note(snapshot)


def test_the_clock_waits_for_enough_events_and_then_publishes(
    world: World, clock: RefreshClock
) -> None:
    world.feed(*likes(0, LEAST_EVENTS - 1))
    early = clock.look()
    assert (early.kind, early.wait_s) == ("waits", EVERY_S)
    assert "99 since the last time, 100 are enough" in early.text
    before = world.view().head.version
    world.feed(*likes(LEAST_EVENTS - 1, 1))
    assert clock.look().kind == "refreshed"
    assert world.view().head.version > before
    note = note_of(world)
    assert (note.events, note.accepted, note.failures) == (100, 100, 0)
    assert clock.look().kind == "waits"


def test_any_new_event_is_enough_after_an_hour(world: World, clock: RefreshClock) -> None:
    world.feed(*likes(0, LEAST_EVENTS))
    assert clock.look().kind == "refreshed"
    world.feed(*likes(LEAST_EVENTS, 1))
    assert clock.look().kind == "waits"
    note = note_of(world)
    with world.store.transaction() as transaction:
        later = RefreshNote(note.at_s - LONGEST_S, note.took_s, note.events, note.accepted)
        write_refresh_note(transaction, later)
    assert clock.look().kind == "refreshed"


def test_a_store_without_items_or_no_store_at_all_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: RefreshClock, world: World
) -> None:
    nowhere = RefreshClock(RefreshRequest(store=f"lmdb:{tmp_path / 'none'}"), EVERY_S).look()
    assert nowhere.kind == "failed"
    assert "there is none" in nowhere.text
    world.catalog.delete([f"i{number}" for number in range(30)])
    assert "no items" in clock.look().text


def test_two_clocks_never_refresh_one_store_at_once_and_the_holder_is_named(
    world: World, clock: RefreshClock
) -> None:
    world.feed(*likes(0, LEAST_EVENTS))
    with refresh_turn(clock.request.store, 0.0):
        other = clock.look()
        assert other.kind == "waits"
        assert f"process {os.getpid()} on " in other.text
        with (
            pytest.raises(RefreshRunning, match="one refresh at a time"),
            refresh_turn(clock.request.store, 0.0),
        ):
            pass
    assert clock.look().kind == "refreshed"


def test_a_failure_is_noted_and_tried_again_later_and_later(
    world: World, clock: RefreshClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.feed(*likes(0, LEAST_EVENTS))

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(refresh_clock, "refresh_store", fail)
        looks = [clock.look() for _ in range(3)]
    assert [look.kind for look in looks] == ["failed"] * 3
    assert [look.wait_s for look in looks] == [30.0, 60.0, 120.0]
    assert "No space left" in looks[0].text
    assert (note_of(world).failures, note_of(world).at_s) == (3, 0.0)
    assert "No space left" in note_of(world).error
    assert clock.look().kind == "refreshed"
    assert (note_of(world).failures, note_of(world).error) == (0, "")


def test_a_refresh_from_a_longer_file_is_not_replaced_by_a_short_log(
    world: World, clock: RefreshClock
) -> None:
    world.feed(*likes(0, LEAST_EVENTS))
    with world.store.transaction() as transaction:
        write_refresh_note(transaction, RefreshNote(1.0, 1.0, events=101, elsewhere=True))
    look = clock.look()
    assert look.kind == "waits"
    assert "101 events of another log" in look.text
    world.feed(*likes(LEAST_EVENTS, 1))
    assert clock.look().kind == "refreshed"


def test_what_is_remembered_of_the_log_equals_the_log_and_only_changed_users_are_read(
    world: World,
) -> None:
    remembered = RememberedLog()

    def check(read_users: int) -> None:
        with world.store.snapshot() as snapshot:
            kept = read_refresh_input(snapshot, world.config, remembered=remembered).events
            anew = read_refresh_input(snapshot, world.config).events
        for name in ("user", "item", "reward", "at_us", "weight"):
            assert np.array_equal(getattr(kept, name), getattr(anew, name)), name
        assert remembered.read_users == read_users

    world.feed(*likes(0, 60))
    check(12)
    check(0)
    world.feed(liked("new", "i3", user="u5"), liked("first", "i4", user="stranger"))
    check(2)
    world.users.forget("u5")
    check(0)
    world.feed(*[liked(f"back{n}", f"i{n}", user="u5", ago_s=-1) for n in range(6)])
    check(1)
    world.catalog.delete(["i3"])
    check(0)


def test_weights_are_learnt_again_once_the_log_has_grown_by_a_quarter(
    world: World, clock: RefreshClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.feed(*likes(0, 300))
    first = clock.look()
    assert first.result is not None
    assert first.result.weights.settings
    with world.store.transaction() as transaction:
        write_refresh_note(transaction, RefreshNote(1.0, 1.0, 300, 300))
    world.feed(*likes(300, 74))
    kept = clock.look()
    assert kept.result is not None
    assert kept.result.weights is first.result.weights
    with world.store.transaction() as transaction:
        write_refresh_note(transaction, RefreshNote(1.0, 1.0, 374, 374))
    world.feed(*likes(374, 1))
    again = clock.look()
    assert again.result is not None
    assert again.result.weights is not first.result.weights


def test_a_store_that_was_trimmed_behind_its_shipping_is_learnt_from_as_a_whole(
    world: World, clock: RefreshClock, tmp_path: Path
) -> None:
    world.feed(*likes(0, 200))
    first = clock.look().result
    assert first is not None
    assert first.events == 200
    ship_once(tmp_path, world.store, trim_older=99_900.0)
    assert len(rows_in(world.store)) < 110
    world.feed(*likes(200, 100))  # These are in no file.
    look = clock.look()
    assert look.result is not None, look.text
    assert look.result.events == 300
    world.feed(*likes(300, 100))
    again = RefreshClock(clock.request, EVERY_S).look().result
    assert again is not None
    assert again.events == 400
    assert refresh(clock.request).events == 400
