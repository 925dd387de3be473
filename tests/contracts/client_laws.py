"""The laws of a client, whatever answers it: a fake in this process, or a real server.

A subclass gives the fixture `penchant`, a connected client. The server need not be empty, and it
may encode as it likes: each test makes users and items of its own, and none knows a score.
"""

from __future__ import annotations

import json
import random
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from penchant_sdk import (
    Event,
    EventIdReused,
    EventStatus,
    InvalidRequest,
    Item,
    Penchant,
    StateBehind,
    UnknownItem,
    UserNotFound,
)

SPACE = [
    "A space opera about a starship crew among distant planets",
    "A space opera about a starship captain and distant planets",
    "A space saga about a starship fleet near distant planets",
]
KITCHEN = [
    "A kitchen comedy about a pastry cook and her bakery",
    "A kitchen comedy about a bread baker and his bakery",
    "A kitchen drama about a pastry school and its bakery",
]


@dataclass(frozen=True)
class World:
    """Items and a user that no other test knows."""

    user: str
    space: list[str]
    kitchen: list[str]

    @property
    def ids(self) -> list[str]:
        return self.space + self.kitchen


def unique(word: str) -> str:
    return f"{word}-{uuid4().hex}"


def some_events(world: World, count: int, *, user: str | None = None) -> list[Event]:
    """Events of one user about the world's items, a minute apart, the last one a minute ago."""
    now = datetime.now(UTC).replace(microsecond=0)
    return [
        Event(
            user=user or world.user,
            item=world.ids[n % len(world.ids)],
            signal=("like", "dislike", "click", "skip")[n % 4],
            occurred_at=now - timedelta(minutes=count - n),
        )
        for n in range(count)
    ]


class Laws:
    """What all laws start from."""

    @pytest.fixture
    def world(self, penchant: Penchant) -> World:
        run = uuid4().hex[:8]
        space = [Item(f"space-{run}-{n}", text) for n, text in enumerate(SPACE)]
        kitchen = [Item(f"kitchen-{run}-{n}", text) for n, text in enumerate(KITCHEN)]
        penchant.put_items(space + kitchen)
        return World(unique("user"), [item.id for item in space], [item.id for item in kitchen])


class CatalogLaws(Laws):
    """What putting, reading and deleting items promise."""

    def test_same_items_put_again_change_nothing(self, penchant: Penchant) -> None:
        items = [Item(unique("item"), f"{text} {uuid4().hex}", {"year": "1995"}) for text in SPACE]
        first = penchant.put_items(items)
        again = penchant.put_items(items)
        assert (first.changed, first.unchanged) == (3, 0)
        assert (again.changed, again.unchanged, again.encoded) == (0, 3, 0)
        assert again.item_count == first.item_count

    def test_only_new_texts_are_encoded(self, penchant: Penchant) -> None:
        item = Item(unique("item"), unique("text"))
        assert penchant.put_items([item]).encoded == 1
        other_year = replace(item, attributes={"year": "2001"})
        assert (penchant.put_items([other_year]).changed, penchant.put_items([item]).encoded) == (
            1,
            0,
        )

    def test_items_come_back_as_they_were_put(self, penchant: Penchant) -> None:
        items = [
            Item(unique("item"), "Ein Text, ein 文本", {"k": "v", "leer": ""}),
            Item(unique("b"), "b"),
        ]
        penchant.put_items(items)
        nowhere = unique("nowhere")
        got = penchant.get_items([items[1].id, nowhere, items[0].id])
        assert got.items == (items[1], items[0])
        assert got.unknown == (nowhere,)

    def test_item_is_rankable_once_it_is_put(self, penchant: Penchant) -> None:
        item = Item(unique("item"), "anything")
        penchant.put_items([item])
        assert penchant.rank(unique("user"), candidates=[item.id]).ids == (item.id,)

    def test_deleted_item_is_gone_from_rankings(self, penchant: Penchant, world: World) -> None:
        gone = world.space[0]
        nowhere = unique("nowhere")
        result = penchant.delete_items([gone, nowhere])
        assert (result.deleted, result.unknown) == (1, (nowhere,))
        ranking = penchant.rank(world.user, candidates=world.ids)
        assert gone not in ranking.ids
        assert ranking.unknown_candidates == (gone,)
        assert penchant.get_items([gone]).items == ()

    def test_one_bad_item_keeps_all_out(self, penchant: Penchant) -> None:
        good = unique("good")
        with pytest.raises(InvalidRequest):
            penchant.put_items([Item(good, "good"), Item("x" * 300, "its id is too long")])
        assert penchant.get_items([good]).unknown == (good,)

    def test_embeddings_are_unit_vectors_in_order(self, penchant: Penchant) -> None:
        both = penchant.embed([SPACE[0], KITCHEN[0]])
        alone = penchant.embed([KITCHEN[0]])
        assert len(both) == 2
        for vector in both:
            assert sum(value * value for value in vector) == pytest.approx(1.0, abs=1e-4)
        assert both[1] == pytest.approx(alone[0], abs=1e-4)


class RankLaws(Laws):
    """What a ranking promises."""

    def test_stranger_gets_the_populations_ranking(self, penchant: Penchant, world: World) -> None:
        one = penchant.rank(world.user, candidates=world.ids)
        other = penchant.rank(unique("user"), candidates=world.ids)
        assert one.cold_start
        assert one.state_version == 0
        assert [(item.id, item.score) for item in one.items] == [
            (item.id, item.score) for item in other.items
        ]
        assert one.recommendation_id != other.recommendation_id

    def test_ranking_falls_and_is_cut_at_k(self, penchant: Penchant, world: World) -> None:
        ranking = penchant.rank(world.user, candidates=world.ids, k=4)
        scores = [item.score for item in ranking.items]
        assert len(scores) == 4
        assert scores == sorted(scores, reverse=True)

    def test_whole_catalog_is_ranked_without_candidates(
        self, penchant: Penchant, world: World
    ) -> None:
        count = penchant.get_items(world.ids).item_count
        ranking = penchant.rank(world.user, k=min(count, 1000))
        assert len(ranking.items) == min(count, 1000)
        if count <= 1000:
            assert set(world.ids) <= set(ranking.ids)

    def test_unknown_candidates_are_listed(self, penchant: Penchant, world: World) -> None:
        nowhere = unique("nowhere")
        ranking = penchant.rank(world.user, candidates=[*world.ids, nowhere])
        assert ranking.unknown_candidates == (nowhere,)
        assert set(ranking.ids) == set(world.ids)

    def test_no_candidates_give_no_items(self, penchant: Penchant) -> None:
        assert penchant.rank(unique("user"), candidates=[]).items == ()

    def test_query_lifts_what_it_describes(self, penchant: Penchant, world: World) -> None:
        def space_over_kitchen(query: str) -> float:
            ranking = penchant.rank(world.user, candidates=world.ids, query=query)
            score = {item.id: item.score for item in ranking.items}
            return sum(score[id] for id in world.space) - sum(score[id] for id in world.kitchen)

        assert space_over_kitchen(SPACE[0]) > space_over_kitchen(KITCHEN[0])

    def test_seen_items_are_left_out_on_demand(self, penchant: Penchant, world: World) -> None:
        seen = world.space[0]
        penchant.feedback([Event(user=world.user, item=seen, signal="dislike")])
        every = penchant.rank(world.user, candidates=world.ids)
        fresh = penchant.rank(world.user, candidates=world.ids, exclude_seen=True)
        assert set(every.ids) == set(world.ids)
        assert set(fresh.ids) == set(world.ids) - {seen}
        assert fresh.unknown_candidates == ()

    def test_parts_of_an_explanation_sum_to_the_score(
        self, penchant: Penchant, world: World
    ) -> None:
        events = some_events(world, 12)
        penchant.feedback(events)
        ranking = penchant.rank(world.user, candidates=world.ids, query="starship", explain=True)
        assert ranking.items
        sent = {event.event_id: event for event in events}
        for item in ranking.items:
            part = item.explanation
            assert part is not None
            total = part.offset + part.slow + part.fast + part.query
            assert total == pytest.approx(item.score, abs=1e-5)
            assert 1 <= len(part.contributions) <= 5
            shares = [abs(one.share) for one in part.contributions]
            assert shares == sorted(shares, reverse=True)
            for one in part.contributions:
                event = sent[one.event_id]
                assert (one.item, one.signal) == (event.item, event.signal)
                assert one.occurred_at == event.occurred_at

    def test_explanations_come_only_on_demand(self, penchant: Penchant, world: World) -> None:
        ranking = penchant.rank(world.user, candidates=world.ids)
        assert all(item.explanation is None for item in ranking.items)

    @pytest.mark.parametrize("k", [1001, 2**32 - 1])
    def test_too_many_items_are_refused(self, penchant: Penchant, k: int) -> None:
        with pytest.raises(InvalidRequest, match="k: got"):
            penchant.rank(unique("user"), k=k)

    def test_candidate_named_twice_is_refused(self, penchant: Penchant, world: World) -> None:
        with pytest.raises(InvalidRequest, match="candidates"):
            penchant.rank(world.user, candidates=[world.ids[0], world.ids[0]])

    def test_too_many_candidates_are_refused(self, penchant: Penchant) -> None:
        with pytest.raises(InvalidRequest, match="candidates"):
            penchant.rank(unique("user"), candidates=[f"c{n}" for n in range(10_000)])


class FeedbackLaws(Laws):
    """What an ack promises."""

    def test_next_ranking_uses_the_acked_event(self, penchant: Penchant, world: World) -> None:
        for version in range(1, 6):
            event = Event(user=world.user, item=world.ids[version], signal="like")
            ack = penchant.feedback([event])
            assert ack.state_version(world.user) == version
            ranking = penchant.rank(world.user, candidates=world.ids, min_state_version=version)
            assert ranking.state_version == version
            assert not ranking.cold_start

    def test_like_lifts_the_item_and_its_neighbours(self, penchant: Penchant, world: World) -> None:
        def space_over_kitchen() -> float:
            ranking = penchant.rank(world.user, candidates=world.ids, explain=True)
            taste = {
                item.id: item.explanation.slow + item.explanation.fast
                for item in ranking.items
                if item.explanation is not None
            }
            neighbours = taste[world.space[1]] + taste[world.space[2]]
            return neighbours - taste[world.kitchen[1]] - taste[world.kitchen[2]]

        before = space_over_kitchen()
        penchant.feedback([Event(user=world.user, item=world.space[0], signal="like")])
        after = space_over_kitchen()
        assert after > before
        hidden = [Event(user=world.user, item=world.space[0], signal="hide") for _ in range(3)]
        penchant.feedback(hidden)
        assert space_over_kitchen() < after

    def test_one_users_events_leave_other_users_alone(
        self, penchant: Penchant, world: World
    ) -> None:
        penchant.feedback([Event(user=world.user, item=world.space[0], signal="like")])
        assert penchant.rank(unique("user"), candidates=world.ids).cold_start

    def test_replayed_event_changes_nothing(self, penchant: Penchant, world: World) -> None:
        event = Event(user=world.user, item=world.space[0], signal="like")
        first = penchant.feedback([event])
        before = penchant.export_user(world.user)
        again = penchant.feedback([event, event])
        assert [result.status for result in first.results] == [EventStatus.ACCEPTED]
        assert [result.status for result in again.results] == [EventStatus.DUPLICATE] * 2
        assert again.state_version(world.user) == first.state_version(world.user) == 1
        assert again.refused == ()
        after = penchant.export_user(world.user)
        assert after.events == before.events
        assert after.state.window == before.state.window

    def test_event_twice_in_one_call_counts_once(self, penchant: Penchant, world: World) -> None:
        event = Event(user=world.user, item=world.space[0], signal="like")
        ack = penchant.feedback([event, event])
        assert [result.status for result in ack.results] == [
            EventStatus.ACCEPTED,
            EventStatus.DUPLICATE,
        ]
        assert penchant.user(world.user).state_version == 1

    def test_order_and_repetition_of_events_do_not_matter(
        self, penchant: Penchant, world: World
    ) -> None:
        other = unique("user")
        events = some_events(world, 20)
        shuffled = [replace(event, user=other) for event in events + events[:7]]
        random.Random(7).shuffle(shuffled)
        penchant.feedback(events)
        for event in shuffled:
            penchant.feedback([event])
        one, two = penchant.user(world.user), penchant.user(other)
        assert one.window == two.window
        assert one.state_version == two.state_version == 20
        as_of = datetime.now(UTC)
        first = penchant.rank(world.user, candidates=world.ids, as_of=as_of)
        second = penchant.rank(other, candidates=world.ids, as_of=as_of)
        assert [item.score for item in first.items] == pytest.approx(
            [item.score for item in second.items], abs=1e-6
        )

    def test_event_id_reused_for_other_content_is_refused(
        self, penchant: Penchant, world: World
    ) -> None:
        event = Event(user=world.user, item=world.space[0], signal="like")
        penchant.feedback([event])
        ack = penchant.feedback([replace(event, signal="dislike")])
        assert [result.reason for result in ack.refused] == ["EventIdReused"]
        with pytest.raises(EventIdReused, match=event.event_id):
            ack.raise_for_refused()
        assert penchant.user(world.user).state_version == 1

    def test_same_event_id_of_two_users_is_two_events(
        self, penchant: Penchant, world: World
    ) -> None:
        event = Event(user=world.user, item=world.space[0], signal="like")
        ack = penchant.feedback([event, replace(event, user=unique("user"))])
        assert [result.status for result in ack.results] == [EventStatus.ACCEPTED] * 2

    def test_bad_events_are_refused_one_by_one(self, penchant: Penchant, world: World) -> None:
        good = Event(user=world.user, item=world.space[0], signal="like")
        bad = [
            replace(good, event_id=unique("e"), item=unique("nowhere")),
            replace(good, event_id=unique("e"), signal="no-such-signal"),
            replace(good, event_id=unique("e"), signal="rating", value=float("nan")),
            replace(good, event_id=unique("e"), signal="rating"),
            replace(good, event_id=unique("e"), occurred_at=datetime.now(UTC) + timedelta(days=1)),
            replace(good, event_id=unique("e"), occurred_at=-1.0),
            replace(good, event_id="e" * 129),
        ]
        ack = penchant.feedback([bad[0], good, *bad[1:]])
        assert [result.event_id for result in ack.results] == [
            event.event_id for event in [bad[0], good, *bad[1:]]
        ]
        assert ack.results[1].status is EventStatus.ACCEPTED
        assert [result.reason for result in ack.refused] == ["UnknownItem"] + ["InvalidEvent"] * 6
        assert all("got" in one.message or "missing" in one.message for one in ack.refused)
        with pytest.raises(UnknownItem):
            ack.raise_for_refused()
        assert penchant.user(world.user).state_version == 1

    def test_state_that_is_not_there_yet_is_behind(self, penchant: Penchant, world: World) -> None:
        penchant.feedback([Event(user=world.user, item=world.space[0], signal="like")])
        with pytest.raises(StateBehind):
            penchant.rank(world.user, min_state_version=2, timeout_s=0.3)

    def test_threads_share_a_client(self, penchant: Penchant, world: World) -> None:
        users = [unique("user") for _ in range(6)]
        problems: list[BaseException] = []

        def work(user: str) -> None:
            try:
                for version in range(1, 11):
                    event = Event(user=user, item=world.ids[version % 6], signal="like")
                    ack = penchant.feedback([event], timeout_s=10)
                    wanted = ack.state_version(user)
                    assert wanted == version
                    ranking = penchant.rank(user, min_state_version=wanted, timeout_s=10)
                    assert ranking.state_version == version
            except BaseException as problem:  # noqa: BLE001 - carried to the test's own thread
                problems.append(problem)

        threads = [threading.Thread(target=work, args=(user,)) for user in users]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []


class UserLaws(Laws):
    """What reading, exporting and forgetting a user promise."""

    def test_window_is_newest_first(self, penchant: Penchant, world: World) -> None:
        events = some_events(world, 8)
        penchant.feedback(list(reversed(events)))
        window = penchant.user(world.user).window
        assert [(one.item, one.occurred_at) for one in window] == [
            (event.item, event.occurred_at) for event in reversed(events)
        ]
        assert {-1.0 <= one.reward <= 1.0 and one.weight >= 0.0 for one in window} == {True}

    def test_export_holds_every_event_as_it_was_sent(
        self, penchant: Penchant, world: World
    ) -> None:
        events = some_events(world, 1200)
        events[3] = replace(events[3], signal="rating", value=4.5, recommendation_id="r1")
        penchant.feedback(events, timeout_s=30)
        export = penchant.export_user(world.user, timeout_s=30)
        assert [row.event for row in export.events] == events
        assert [row.state_version for row in export.events] == list(range(1, 1201))
        assert export.state.state_version == 1200
        ready = json.loads(json.dumps(export.to_json_ready()))
        assert ready["user"] == world.user
        assert len(ready["events"]) == 1200
        assert ready["events"][3]["value"] == 4.5

    def test_forgotten_user_is_a_stranger(self, penchant: Penchant, world: World) -> None:
        events = some_events(world, 5)
        penchant.feedback(events)
        assert penchant.forget_user(world.user) == 5
        for read in (penchant.user, penchant.export_user, penchant.forget_user):
            with pytest.raises(UserNotFound):
                read(world.user)
        assert penchant.rank(world.user, candidates=world.ids).cold_start
        # What was forgotten is not remembered as a duplicate either.
        ack = penchant.feedback(events[:1])
        assert ack.results[0].status is EventStatus.ACCEPTED
        assert ack.state_version(world.user) == 1

    def test_unknown_user_is_not_found(self, penchant: Penchant) -> None:
        with pytest.raises(UserNotFound):
            penchant.user(unique("user"))

    def test_user_whose_events_were_all_refused_is_not_found(self, penchant: Penchant) -> None:
        user = unique("user")
        ack = penchant.feedback([Event(user=user, item=unique("nowhere"), signal="like")])
        assert ack.state_version(user) == 0
        with pytest.raises(UserNotFound):
            penchant.user(user)


class ClientLaws(CatalogLaws, RankLaws, FeedbackLaws, UserLaws):
    """All of them."""

    def test_server_is_ready(self, penchant: Penchant) -> None:
        assert penchant.ready()
