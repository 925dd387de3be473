"""Counters in the store: each user counts once, and leaves with everything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.types import Counters, Event
from penchant.service.rank import RankRequest
from penchant.store.counters import scan_counters
from penchant.store.item_contributions import contributors
from penchant.store.keys import Kind, encode
from tests.support.world import SECOND_US, World, liked, shuffled_batches

FILMS = {"toy": "toys on an adventure", "heat": "a heist", "dune": "a desert planet"}
DAY_S = 86_400.0


@pytest.fixture
def world(tmp_path: Path) -> World:
    return new_world(tmp_path)


def new_world(directory: Path) -> World:
    world = World(directory)
    world.put(**FILMS)
    return world


def counters(world: World) -> dict[int, Counters]:
    with world.store.snapshot() as snapshot:
        return dict(scan_counters(snapshot))


def assert_same_counts(one: World, other: World) -> None:
    """Expects equal decayed sums; an item without any counts as zeros."""
    left, right = counters(one), counters(other)
    for number in left.keys() | right.keys():
        mine, theirs = left.get(number, Counters()), right.get(number, Counters())
        latest_us = max(mine.as_of_us, theirs.as_of_us)
        half_life_us = one.config.offset_half_life_s * SECOND_US
        for name in ("positives", "impressions"):
            faded = [
                getattr(each, name) * 2 ** ((each.as_of_us - latest_us) / half_life_us)
                for each in (mine, theirs)
            ]
            assert faded[0] == pytest.approx(faded[1], rel=1e-9, abs=1e-9)


EVENTS = st.lists(
    st.builds(
        lambda user, item, signal, ago_s: liked("", item, user=user, signal=signal, ago_s=ago_s),
        st.sampled_from(["ann", "bob", "cyd"]),
        st.sampled_from(sorted(FILMS)),
        st.sampled_from(["like", "dislike", "purchase", "view", "impression"]),
        st.floats(0, 90 * DAY_S),
    ),
    min_size=1,
    max_size=16,
).map(lambda events: [_named(event, place) for place, event in enumerate(events)])


def _named(event: Event, place: int) -> Event:
    return Event(
        f"e{place}", event.user, event.item, event.signal, event.value, event.occurred_at_us
    )


@given(events=EVENTS, sizes=st.lists(st.integers(1, 5)), data=st.data())
def test_any_order_and_any_duplicates_give_the_same_counters(
    tmp_path_factory: pytest.TempPathFactory,
    events: Sequence[Event],
    sizes: list[int],
    data: st.DataObject,
) -> None:
    one = new_world(tmp_path_factory.mktemp("one"))
    one.feed(*events)
    other = new_world(tmp_path_factory.mktemp("other"))
    again = data.draw(st.lists(st.sampled_from(list(events))))
    arrivals = data.draw(st.permutations([*events, *again]))
    for batch in shuffled_batches(arrivals, sizes):
        other.feed(*batch)
    assert_same_counts(one, other)


@given(events=EVENTS, gone=st.sampled_from(["ann", "bob", "cyd"]), late=EVENTS)
def test_a_forgotten_user_leaves_counters_as_if_never_there(
    tmp_path_factory: pytest.TempPathFactory,
    events: Sequence[Event],
    gone: str,
    late: Sequence[Event],
) -> None:
    others_late = [
        Event(f"late {one.event_id}", one.user, one.item, one.signal, None, one.occurred_at_us)
        for one in late
        if one.user != gone
    ]
    world = new_world(tmp_path_factory.mktemp("all"))
    world.feed(*events)
    if any(event.user == gone for event in events):
        world.users.forget(gone)
    never = new_world(tmp_path_factory.mktemp("never"))
    for batch in ([event for event in events if event.user != gone], others_late):
        if batch:
            never.feed(*batch)
    if others_late:
        world.feed(*others_late)
    assert_same_counts(world, never)
    with world.store.snapshot() as snapshot:
        assert not [key for key, _ in snapshot.scan(b"") if gone.encode() + b"\x00\x01" in key]


def test_sixty_likes_by_one_user_weigh_less_than_one_like_by_each_of_two(world: World) -> None:
    world.feed(*(liked(f"flood {place}", "toy", user="flooder") for place in range(60)))
    world.feed(liked("e", "heat", user="a"), liked("e", "heat", user="b"))
    assert world.rank(RankRequest("stranger", 1)).ids == ["heat"]


def test_sixty_showings_to_one_user_weigh_as_much_as_one(world: World) -> None:
    shown = [liked(f"i{n}", "toy", user="flooder", signal="impression") for n in range(60)]
    world.feed(*shown, liked("e", "toy", user="a"), liked("e", "heat", user="a"))
    (toy,) = [one for number, one in counters(world).items() if number == 0]
    assert toy.impressions == 1.0


def test_strangers_see_at_once_that_a_user_was_forgotten(world: World) -> None:
    world.feed(liked("e", "heat", user="a"))
    before = world.view().offsets.tolist()
    world.feed(*(liked(f"e{n}", "toy", user=f"gone{n}", signal="purchase") for n in range(5)))
    assert world.rank(RankRequest("stranger", 1)).ids == ["toy"]
    for number in range(5):
        world.users.forget(f"gone{number}")
    assert world.rank(RankRequest("stranger", 1)).ids == ["heat"]
    world.feed(liked("e2", "heat", user="a"))
    assert world.view().offsets.tolist() == pytest.approx(before, abs=1e-4)


def test_a_user_whose_log_is_damaged_can_be_forgotten_whole(world: World) -> None:
    world.feed(liked("e1", "toy"), liked("e2", "heat"), liked("e", "dune", user="v"))
    with world.store.transaction() as transaction:
        (key, value), *_ = transaction.scan(encode(Kind.LOG, "u"))
        transaction.put(key, value[:-1] + bytes([value[-1] ^ 1]))
    assert world.users.forget("u").deleted_events == 2
    with world.store.snapshot() as snapshot:
        assert [list(contributors(snapshot, number)) for number in (0, 1)] == [[], []]


def test_a_damaged_contribution_costs_nobody_a_reply(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.feed(liked("e1", "toy"))
    with world.store.transaction() as transaction:
        transaction.put(encode(Kind.CONTRIBUTION, 0, "u"), b"\x04garbage")
    (result,) = world.feed(liked("e2", "toy"))
    assert result.reason == ""
    assert "rebuild counters" in caplog.text


def test_a_store_of_an_older_release_is_named_at_the_start(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.feed(liked("e1", "toy"))
    with world.store.transaction() as transaction:
        transaction.delete(encode(Kind.CONTRIBUTION, 0, "u"))
    World(world.directory, store=world.store)
    assert "counted events, not users" in caplog.text


def test_a_start_makes_damaged_counters_again(world: World) -> None:
    world.feed(liked("e1", "toy"), liked("e1", "heat", user="v"))
    whole = counters(world)
    with world.store.transaction() as transaction:
        transaction.put(encode(Kind.COUNTERS, 0), b"\x04garbage")
    World(world.directory, store=world.store)
    assert counters(world) == whole
