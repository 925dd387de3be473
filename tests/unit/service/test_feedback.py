"""Feedback: each event is accepted, known or refused by itself."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from penchant.domain.errors import StoreUnavailable
from penchant.domain.settings import FoldSettings
from penchant.domain.types import Counters, Event
from penchant.service.event_results import EventStatus
from penchant.service.rank import RankRequest
from penchant.store.base import Store
from penchant.store.codec import decode_counters
from penchant.store.keys import Kind, encode
from penchant.store.lmdb import LmdbStore
from tests.support.histories import FILMS
from tests.support.world import NOW_US, SECOND_US, World, liked

ACCEPTED, DUPLICATE, REFUSED = EventStatus.ACCEPTED, EventStatus.DUPLICATE, EventStatus.REFUSED


def flip(store: Store, key: bytes) -> None:
    """Damages a stored value."""
    with store.transaction() as transaction:
        value = transaction.get(key)
        assert value is not None
        transaction.put(key, value[:-1] + bytes([value[-1] ^ 1]))


def everything(store: Store) -> list[tuple[bytes, bytes]]:
    with store.snapshot() as snapshot:
        return list(snapshot.scan(b""))


def test_an_accepted_event_is_in_the_log_and_in_the_record(world: World) -> None:
    event = liked("e1", "toy", signal="rating", value=4.0, recommendation_id="r")
    (result,) = world.feed(event)
    assert (result.event_id, result.status, result.state_version) == ("e1", ACCEPTED, 1)
    (row,) = world.log("u")
    assert (row.event, row.state_version, row.accepted_at_us) == (event, 1, NOW_US)
    assert len(world.record("u").window) == 1
    assert world.meter.committed == [1]


REFUSALS: list[tuple[dict[str, object], str, str]] = [
    ({"event_id": ""}, "InvalidEvent", "event_id: got 0 bytes"),
    ({"user": ""}, "InvalidEvent", "user: got 0 bytes"),
    ({"user": "x" * 257}, "InvalidEvent", "user: got 257 bytes"),
    ({"item": "nope"}, "UnknownItem", "item: got 'nope', which the catalog does not hold"),
    ({"item": ""}, "UnknownItem", "item: got ''"),
    ({"signal": "lick"}, "InvalidEvent", "signal: got 'lick', expected one of: click, "),
    ({"signal": "rating"}, "InvalidEvent", "value: missing"),
    ({"value": math.nan}, "InvalidEvent", "value: got nan, expected a finite number"),
    ({"value": math.inf}, "InvalidEvent", "value: got inf, expected a finite number"),
    ({"occurred_at_us": -1}, "InvalidEvent", "occurred_at_us: got -1"),
    ({"occurred_at_us": NOW_US + 301 * SECOND_US}, "InvalidEvent", "at most 300 s ahead"),
    ({"recommendation_id": "r" * 65}, "InvalidEvent", "recommendation_id: got 65 bytes"),
]


@pytest.mark.parametrize(("fields", "reason", "text"), REFUSALS)
def test_a_bad_event_is_refused_alone(
    world: World, fields: dict[str, object], reason: str, text: str
) -> None:
    bad = dataclasses.replace(liked("bad", "toy"), **fields)  # type: ignore[arg-type]
    first, refused, last = world.feed(liked("e1", "toy"), bad, liked("e2", "heat"))
    assert (first.status, refused.status, last.status) == (ACCEPTED, REFUSED, ACCEPTED)
    assert (refused.event_id, refused.reason) == (bad.event_id, reason)
    assert text in refused.message
    assert [row.event.event_id for row in world.log("u")] == ["e1", "e2"]
    assert world.record("u").state_version == 2


def test_a_batch_of_refusals_commits_nothing(world: World) -> None:
    before = everything(world.store)
    world.feed(liked("e1", "nope"), liked("e2", "toy", signal="lick"))
    assert everything(world.store) == before
    assert world.meter.committed == []


def test_the_same_event_twice_in_one_batch_counts_once(world: World) -> None:
    event = liked("e1", "toy")
    results = world.feed_calls([event, event], [event])
    statuses = [result.status for call in results for result in call]
    assert statuses == [ACCEPTED, DUPLICATE, DUPLICATE]
    assert [result.state_version for call in results for result in call] == [1, 1, 1]
    assert len(world.log("u")) == 1


def test_an_event_older_than_the_window_is_still_known(tmp_path: Path) -> None:
    world = World(tmp_path, fold=FoldSettings(window_events=2))
    world.put(**FILMS)
    events = [liked(f"e{number}", "toy", ago_s=100 - number) for number in range(5)]
    world.feed(*events)
    assert world.feed(events[0])[0].status is DUPLICATE
    assert world.record("u").state_version == 5


def test_an_event_sent_again_with_another_time_is_the_same_event(world: World) -> None:
    world.feed(liked("e1", "toy", ago_s=50))
    before = everything(world.store)
    assert world.feed(liked("e1", "toy", ago_s=10))[0].status is DUPLICATE
    assert everything(world.store) == before


@pytest.mark.parametrize(
    "other",
    [
        liked("e1", "heat"),
        liked("e1", "toy", signal="dislike"),
        liked("e1", "toy", value=1.0),
        liked("e1", "toy", recommendation_id="r"),
    ],
)
def test_an_event_id_stands_for_one_event(world: World, other: Event) -> None:
    world.feed(liked("e1", "toy"))
    before = everything(world.store)
    (result,) = world.feed(other)
    assert (result.status, result.reason) == (REFUSED, "EventIdReused")
    assert "give each event an id of its own" in result.message
    assert everything(world.store) == before
    results = world.feed(liked("e2", "toy"), liked("e2", "heat"))
    assert [one.reason for one in results] == ["", "EventIdReused"]


def test_an_event_id_of_one_user_is_free_for_another(world: World) -> None:
    results = world.feed(liked("e1", "toy"), liked("e1", "heat", user="v"))
    assert [result.status for result in results] == [ACCEPTED, ACCEPTED]


@pytest.mark.parametrize("kind", ["record", "log row"])
def test_a_damaged_user_is_refused_without_harm_to_others(world: World, kind: str) -> None:
    world.feed(liked("e1", "toy"))
    if kind == "record":
        flip(world.store, encode(Kind.USER, "u"))
    else:
        with world.store.snapshot() as snapshot:
            ((key, _),) = snapshot.scan(encode(Kind.LOG, "u"))
        flip(world.store, key)
    damaged, whole = world.feed(liked("e1", "toy"), liked("e1", "toy", user="v"))
    assert (damaged.status, damaged.reason) == (REFUSED, "StateCorrupt")
    assert damaged.message == "see the server's log"
    assert whole.status is ACCEPTED
    ranked, error = world.rank_all([RankRequest("v", 1), RankRequest("u", 1)])
    assert not isinstance(ranked, Exception)
    if kind == "record":
        assert type(error).__name__ == "StateCorrupt"


def test_damaged_counters_of_an_item_are_said_cost_nobody_a_reply_and_are_made_again(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.feed(liked("e1", "toy"))
    flip(world.store, encode(Kind.COUNTERS, world.view().numbers["toy"]))
    damaged, whole = world.feed(liked("e2", "toy", user="v"), liked("e3", "heat"))
    assert (damaged.status, whole.status) == (ACCEPTED, ACCEPTED)
    assert counters_of(world, "toy") == Counters(2.0, 0.0, NOW_US)
    assert "penchant rebuild counters" in caplog.text
    assert [row.event.event_id for row in world.log("u")] == ["e1", "e3"]


def test_likes_and_impressions_are_counted_for_their_item_once_a_user(world: World) -> None:
    for user in "uv":
        world.feed(
            liked("e1", "toy", user=user),
            liked("e2", "toy", user=user, signal="purchase"),
            liked("e3", "toy", user=user, signal="impression"),
            liked("e4", "toy", user=user, signal="impression"),
            liked("e5", "toy", user=user, signal="dislike"),
        )
    assert counters_of(world, "toy") == Counters(4.0, 2.0, NOW_US)


def counters_of(world: World, item: str) -> Counters:
    with world.store.snapshot() as snapshot:
        value = snapshot.get(encode(Kind.COUNTERS, world.view().numbers[item]))
    assert value is not None
    return decode_counters(value)


def test_what_many_like_rises_for_strangers(world: World) -> None:
    world.feed(*(liked("e", "heat", user=f"u{number}") for number in range(5)))
    assert world.rank(RankRequest("stranger", 1)).ids == ["heat"]


def test_staleness_is_measured_once_a_batch_that_took_something(world: World) -> None:
    world.feed(liked("e1", "toy"), liked("e2", "toy"))
    world.feed(liked("e1", "toy"))
    assert len(world.meter.stalenesses) == 1
    assert world.meter.stalenesses[0] >= 0


def test_a_full_store_acks_nothing_and_still_ranks(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path / "store", map_bytes=1 << 20)
    world = World(tmp_path / "catalog", store=store)
    world.put(**FILMS)
    acked: list[str] = []

    def feed_until_full() -> None:
        for call in range(1000):
            results = world.feed(*(liked(f"{call} {n}", "toy", user=f"u{n}") for n in range(20)))
            acked.extend(result.event_id for result in results if result.status is ACCEPTED)

    with pytest.raises(StoreUnavailable, match="raise store_map_bytes"):
        feed_until_full()
    logged = [row.event.event_id for n in range(20) for row in world.log(f"u{n}")]
    assert sorted(logged) == sorted(acked)
    assert world.feed(liked(acked[0], "toy", user="u0"))[0].status is DUPLICATE
    assert len(world.rank(RankRequest("u0", 6)).ids) == 6
    assert world.users.forget("u0").deleted_events > 0
    store.close()


def test_feedback_before_any_item_is_refused_as_unknown(tmp_path: Path) -> None:
    (result,) = World(tmp_path).feed(liked("e1", "toy"))
    assert (result.status, result.reason) == (REFUSED, "UnknownItem")
