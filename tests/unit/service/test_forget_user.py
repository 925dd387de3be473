"""A store that forgot a user equals one that never met that user."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant.domain.errors import UserNotFound
from penchant.domain.reservations import Budget, Cap, ReserveOption, ReserveRequest
from penchant.domain.types import Event
from penchant.service.event_results import EventStatus
from penchant.service.kept_data import KIND_NAMES, KeptRequest
from penchant.service.merge_users import MergeUsersRequest
from penchant.service.rebuilt_counters import rebuild_counters
from penchant.service.rebuilt_records import rebuild_records
from penchant.service.reserve import ReserveService
from penchant.store.base import Store
from penchant.store.keys import USER_PLACE, Kind, decode
from penchant.store.tombstones import read_tombstone
from penchant.system.attribute_docs import attribute_docs
from tests.support.histories import FILMS, events
from tests.support.world import NOW_US, SECOND_US, World, liked

KEPT, GONE = "kept", "gone"


def rows_of(store: Store) -> dict[bytes, bytes]:
    """Every row but the tombstones."""
    with store.snapshot() as snapshot:
        return {key: value for key, value in snapshot.scan(b"") if key[0] != Kind.TOMBSTONE}


def made_world(directory: Path) -> World:
    world = World(directory)
    world.put(**FILMS)
    return world


def test_after_a_thousand_deletions_the_store_is_as_if_it_never_met_them(tmp_path: Path) -> None:
    """Byte for byte, while events of others keep arriving, and whoever was the newest."""
    draw = random.Random(1)
    films, signals = list(FILMS), ["like", "dislike", "click", "impression", "purchase"]
    forgetful, innocent = made_world(tmp_path / "a"), made_world(tmp_path / "b")
    for number in range(1000):
        forgetful.now_us = innocent.now_us = NOW_US + number * 3 * SECOND_US
        gone = [
            Event(
                f"g{number}-{place}",
                f"{GONE}{number}",
                draw.choice(films),
                draw.choice(signals),
                None,
                forgetful.now_us - draw.randrange(10_000) * SECOND_US + 7_000 * SECOND_US // 100,
            )
            for place in range(draw.randint(1, 3))
        ]
        kept = [
            Event(
                f"k{number}",
                f"{KEPT}{draw.randrange(60)}",
                draw.choice(films),
                draw.choice(signals),
                None,
                forgetful.now_us - draw.randrange(10_000) * SECOND_US,
            )
        ]
        kept *= number % 4 == 0
        first = draw.random() < 0.5
        forgetful.feed(*(kept + gone if first else gone + kept))
        if kept:
            innocent.feed(*kept)
        assert forgetful.users.forget(f"{GONE}{number}").deleted_events == len(gone)
    last = [liked("last", "toy", user=f"{KEPT}0", ago_s=-4000)]
    for world in (forgetful, innocent):
        world.now_us = NOW_US + 5000 * SECOND_US
        world.feed(*last)
    mine, other = rows_of(forgetful.store), rows_of(innocent.store)
    assert mine.keys() == other.keys()
    assert [decode(key) for key in mine if mine[key] != other[key]] == []


@settings(max_examples=25)
@given(stream=events(30), order=st.randoms(use_true_random=False))
def test_the_counters_do_not_depend_on_who_came_first(
    tmp_path_factory: pytest.TempPathFactory, stream: list[Event], order: random.Random
) -> None:
    one = made_world(tmp_path_factory.mktemp("one"))
    two = made_world(tmp_path_factory.mktemp("two"))
    users = list({event.user for event in stream})
    order.shuffle(users)
    if stream:
        one.feed(*stream)
        two.feed(*sorted(stream, key=lambda event: users.index(event.user)))

    def counters(world: World) -> dict[bytes, bytes]:
        return {key: value for key, value in rows_of(world.store).items() if key[0] in b"NK"}

    assert counters(one) == counters(two)
    rebuild_counters(one.store, one.config.signals, one.config.offset_half_life_s)
    assert counters(one) == counters(two)


def test_every_kind_of_key_that_names_a_user_is_forgotten_and_exported(world: World) -> None:
    docs = attribute_docs(Kind)
    naming = {kind for kind in Kind if "user" in docs[kind.name].split(":")[0]}
    assert naming == {*USER_PLACE, Kind.TOMBSTONE}
    assert KIND_NAMES.keys() == naming
    world.feed(liked("e1", "toy"), liked("e2", "heat", signal="purchase"))
    desk = ReserveService(world.store, world.catalogs, world.clock, world.meter)
    caps, budget = (Cap("c", 3, 60),), Budget("b", 5, 1000)
    desk.reserve([ReserveRequest("u", "r1", (ReserveOption("toy", caps, budget),), 1, 60)])
    (shown,) = world.feed(liked("e3", "toy", signal="impression", recommendation_id="r1"))
    assert shown.status is EventStatus.ACCEPTED
    exported = {row.kind for row in world.users.kept(KeptRequest("u")).rows}
    in_store = {decode(key)[0] for key in rows_of(world.store)} & USER_PLACE.keys()
    assert in_store == USER_PLACE.keys() - {Kind.PAST_LEDGER}
    assert exported == {KIND_NAMES[kind] for kind in in_store} - {"events"}
    receipt = world.users.forget("u")
    assert receipt.deleted.keys() == {KIND_NAMES[kind] for kind in in_store}
    assert not {decode(key)[0] for key in rows_of(world.store)} & USER_PLACE.keys()
    assert [row.kind for row in world.users.kept(KeptRequest("u")).rows] == ["forgotten"]


def test_pages_of_what_is_kept_hold_each_row_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.feed(*[liked(f"e{place}", film) for place, film in enumerate(FILMS)])
    whole = world.users.kept(KeptRequest("u")).rows
    assert len(whole) == 1 + len(FILMS)
    monkeypatch.setattr("penchant.service.kept_data.PAGE_BYTES", 100)
    rows, start = [], 0
    while True:
        page = world.users.kept(KeptRequest("u", start))
        rows += page.rows
        start = page.next_start
        if not start:
            break
    assert rows == whole


def test_what_is_kept_beside_a_long_log_is_read_in_slices(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.feed(*[liked(f"e{place}", "toy") for place in range(40)])
    expected = world.users.kept(KeptRequest("u"))
    monkeypatch.setattr("penchant.service.kept_data._ROWS_AT_ONCE", 5)
    slices = world.users.kept_in_slices(KeptRequest("u"))
    pauses, page = 0, None
    while page is None:
        try:
            next(slices)
            pauses += 1
        except StopIteration as end:
            page = end.value
    assert page == expected
    assert pauses >= 40 // 5, "each row of the log was looked at without a long wait"


def test_a_repeated_deletion_returns_the_receipt_of_the_first(world: World) -> None:
    world.feed(liked("e1", "toy"))
    receipt = world.users.forget("u")
    world.now_us += SECOND_US
    assert world.users.forget("u") == receipt
    assert receipt.deleted == {"record": 1, "events": 1, "contributions": 1}
    world.feed(liked("e2", "toy", ago_s=-1))
    again = world.users.forget("u")
    assert again.id != receipt.id
    with pytest.raises(UserNotFound):
        world.users.forget("nobody")


@pytest.mark.parametrize("ahead_s", [0, 240])
def test_what_is_forgotten_never_comes_back(world: World, ahead_s: int) -> None:
    """Not by a late event, a repetition, a rebuild or a merge, whatever the caller's clock said."""
    early, late = liked("e1", "toy", ago_s=60), liked("e2", "heat", ago_s=-ahead_s)
    world.feed(early, late)
    world.users.forget("u")
    for event in (early, late, dataclasses.replace(early, event_id="other")):
        (result,) = world.feed(event)
        assert (result.status, result.reason) == (EventStatus.REFUSED, "UserForgotten")
    assert world.meter.refusals["UserForgotten"] == 3
    (others,) = world.feed(liked("e1", "toy", user="v"))
    assert others.status is EventStatus.ACCEPTED
    world.feed(liked("w1", "bug", user="visitor", ago_s=30))
    before = rows_of(world.store)
    merged = world.users.merge(MergeUsersRequest("visitor", "u"))
    assert (merged.moved_events, merged.state_version) == (0, 0)
    rebuild_records(world.store, world.config.signals, 256)
    rebuild_counters(world.store, world.config.signals, world.config.offset_half_life_s)
    assert world.state("u") is None
    assert world.state("visitor") is None
    assert not any(b"visitor" in key for key in rows_of(world.store))
    assert before.keys() - rows_of(world.store).keys()
    world.now_us += 600 * SECOND_US
    (new,) = world.feed(liked("e9", "toy", ago_s=-500))
    assert (new.status, new.state_version) == (EventStatus.ACCEPTED, 1)


def test_a_tombstone_does_not_name_its_user(world: World) -> None:
    world.feed(liked("e1", "toy", user="a stranger's name"))
    world.users.forget("a stranger's name")
    with world.store.snapshot() as snapshot:
        assert read_tombstone(snapshot, "a stranger's name") is not None
        assert not any(b"stranger" in key + value for key, value in snapshot.scan(b""))
