"""The laws of a client: feedback, and the data of a user."""

from __future__ import annotations

import json
import random
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from penchant_sdk import (
    Event,
    EventIdReused,
    EventStatus,
    Exposure,
    Penchant,
    StateBehind,
    UnknownItem,
    UserNotFound,
)
from tests.contracts.client_world import Laws, World, some_events, unique


class FeedbackLaws(Laws):
    """The laws of feedback."""

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

    def test_context_and_manner_of_an_impression_are_kept(
        self, penchant: Penchant, world: World
    ) -> None:
        event = Event(
            user=world.user,
            item=world.space[0],
            signal="impression",
            recommendation_id="r1",
            context={"room": "kitchen", "part_of_day": "night"},
            exposure=Exposure(position=2, propensity=0.25, propensity_estimated=True, score=-1.5),
        )
        penchant.feedback([event])
        (row,) = penchant.export_user(world.user).events
        assert row.event == event
        (ready,) = json.loads(json.dumps(penchant.export_user(world.user).to_json_ready()))[
            "events"
        ]
        assert ready["context"] == event.context
        assert ready["exposure"] == {
            "position": 2,
            "propensity": 0.25,
            "propensity_estimated": True,
            "score": -1.5,
        }

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
            penchant.rank(world.user, min_state_version=2, timeout_s=30)

    def test_threads_share_a_client(self, penchant: Penchant, world: World) -> None:
        users = [unique("user") for _ in range(6)]
        problems: list[BaseException] = []

        def work(user: str) -> None:
            try:
                for version in range(1, 11):
                    event = Event(user=user, item=world.ids[version % 6], signal="like")
                    ack = penchant.feedback([event], timeout_s=60)
                    wanted = ack.state_version(user)
                    assert wanted == version
                    ranking = penchant.rank(user, min_state_version=wanted, timeout_s=60)
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
    """The laws of reading, exporting and forgetting a user."""

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
        penchant.feedback(events, timeout_s=60)
        export = penchant.export_user(world.user, timeout_s=60)
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
        receipt = penchant.forget_user(world.user)
        assert receipt.deleted_events == 5
        assert penchant.forget_user(world.user) == receipt
        for read in (penchant.user, penchant.export_user):
            with pytest.raises(UserNotFound):
                read(world.user)
        assert penchant.rank(world.user, candidates=world.ids).cold_start
        # What is forgotten stays so, and a later event begins anew.
        (again,) = penchant.feedback(events[:1]).results
        assert (again.status, again.reason) == (EventStatus.REFUSED, "UserForgotten")
        at = datetime.now(UTC) + timedelta(seconds=1)
        later = replace(events[0], event_id=unique("later"), occurred_at=at)
        ack = penchant.feedback([later])
        assert ack.results[0].status is EventStatus.ACCEPTED
        assert ack.state_version(world.user) == 1

    def test_merged_users_are_one_and_a_repetition_changes_nothing(
        self, penchant: Penchant, world: World
    ) -> None:
        visitor = unique("visitor")
        penchant.feedback(some_events(world, 3))
        penchant.feedback(some_events(world, 5, user=visitor))
        merged = penchant.merge_users(visitor, world.user)
        assert (merged.moved_events, merged.state_version) == (5, 8)
        ranking = penchant.rank(
            world.user, candidates=world.ids, min_state_version=merged.state_version
        )
        assert ranking.state_version == 8
        assert len(penchant.export_user(world.user).events) == 8
        with pytest.raises(UserNotFound):
            penchant.user(visitor)
        again = penchant.merge_users(visitor, world.user)
        assert (again.moved_events, again.state_version) == (0, 8)

    def test_unknown_user_is_not_found(self, penchant: Penchant) -> None:
        with pytest.raises(UserNotFound):
            penchant.user(unique("user"))

    def test_user_whose_events_were_all_refused_is_not_found(self, penchant: Penchant) -> None:
        user = unique("user")
        ack = penchant.feedback([Event(user=user, item=unique("nowhere"), signal="like")])
        assert ack.state_version(user) == 0
        with pytest.raises(UserNotFound):
            penchant.user(user)
