"""The laws of a client: impressions reserved under caps and budgets."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from penchant_sdk import (
    Budget,
    Cap,
    Event,
    EventStatus,
    InvalidRequest,
    Penchant,
    ReserveOption,
    UnknownItem,
    Unreserved,
    UnreservedReason,
    UserNotFound,
)
from tests.contracts.client_world import Laws, World, unique

THREE_AN_HOUR = [Cap("campaign", limit=3, window_s=3600)]
SECOND = timedelta(seconds=1)


def options(items: Sequence[str], caps: Sequence[Cap] = THREE_AN_HOUR) -> list[ReserveOption]:
    return [ReserveOption(item, caps) for item in items]


def impression(world: World, id_: str, item: str, at: datetime) -> Event:
    return Event(world.user, item, "impression", occurred_at=at, recommendation_id=id_)


class ReserveLaws(Laws):
    """The laws of reservations."""

    @pytest.fixture
    def yesterday(self) -> datetime:
        """The clock of a test, one day back."""
        return datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)

    def test_the_most_wanted_are_reserved_in_their_order(
        self, penchant: Penchant, world: World, yesterday: datetime
    ) -> None:
        got = penchant.reserve(
            world.user, "r", options(world.ids[:3]), n=2, lapse_s=30, as_of=yesterday
        )
        assert got.items == (world.ids[0], world.ids[1])
        assert {one.lapses_at for one in got.reserved} == {yesterday + 30 * SECOND}
        assert got.refused == ()

    def test_every_option_that_a_cap_forbids_is_refused(
        self, penchant: Penchant, world: World
    ) -> None:
        free = ReserveOption(world.ids[5])
        got = penchant.reserve(world.user, "r", [*options(world.ids[:5]), free], n=4)
        assert got.items == (*world.ids[:3], world.ids[5])
        assert got.refused == tuple(
            Unreserved(item, UnreservedReason.CAPPED) for item in world.ids[3:5]
        )
        assert penchant.reserve(unique("user"), "r", options(world.ids), n=3).items == tuple(
            world.ids[:3]
        )

    def test_a_repeated_call_gets_the_same_reservations(
        self, penchant: Penchant, world: World
    ) -> None:
        first = penchant.reserve(world.user, "r", options(world.ids), n=2)
        assert penchant.reserve(world.user, "r", options(world.ids), n=2) == first
        penchant.feedback([impression(world, "r", world.ids[0], datetime.now(UTC))])
        assert penchant.reserve(world.user, "r", options(world.ids), n=2) == first
        assert penchant.reserve(world.user, "r2", options(world.ids), n=2).items == (world.ids[0],)

    def test_an_unconfirmed_place_lapses_and_a_confirmed_one_does_not(
        self, penchant: Penchant, world: World, yesterday: datetime
    ) -> None:
        penchant.reserve(world.user, "r", options(world.ids), n=3, lapse_s=60, as_of=yesterday)
        shown = impression(world, "r", world.ids[0], yesterday + 10 * SECOND)
        ack = penchant.feedback([shown, shown])
        assert [one.status for one in ack.results] == [EventStatus.ACCEPTED, EventStatus.DUPLICATE]

        def places(id_: str, after_s: int) -> int:
            as_of = yesterday + after_s * SECOND
            return len(
                penchant.reserve(world.user, id_, options(world.ids), n=3, as_of=as_of).items
            )

        assert places("r2", 59) == 0
        assert places("r3", 60) == 2
        assert places("r4", 3609) == 2  # The impression at 10 s counts for one hour from then on.
        assert places("r5", 3670) == 3

    def test_a_late_impression_counts(
        self, penchant: Penchant, world: World, yesterday: datetime
    ) -> None:
        caps = [Cap("campaign", limit=1, window_s=3600)]
        penchant.reserve(world.user, "r", options(world.ids, caps), n=1, lapse_s=5, as_of=yesterday)
        penchant.feedback([impression(world, "r", world.ids[0], yesterday + 60 * SECOND)])
        as_of = yesterday + 61 * SECOND
        assert not penchant.reserve(
            world.user, "r2", options(world.ids, caps), n=1, as_of=as_of
        ).items

    def test_all_caps_of_an_option_must_hold(
        self, penchant: Penchant, world: World, yesterday: datetime
    ) -> None:
        caps = [Cap("campaign", 1, 60), Cap("campaign", 2, 86_400), Cap("advertiser", 9, 60)]
        granted = []
        for minute in range(4):
            as_of = yesterday + timedelta(minutes=2 * minute)
            id_ = f"r{minute}"
            got = penchant.reserve(world.user, id_, options(world.ids[:1], caps), n=1, as_of=as_of)
            granted.append(len(got.items))
            penchant.feedback(
                [impression(world, id_, item, as_of) for item in got.items]
                or [Event(world.user, world.ids[0], "view")]
            )
        assert granted == [1, 1, 0, 0]

    def test_a_budget_is_held_spent_and_given_back(
        self, penchant: Penchant, world: World, yesterday: datetime
    ) -> None:
        key = unique("money")

        def reserve(user: str, after_s: int, cost: int = 40) -> list[UnreservedReason]:
            option = ReserveOption(world.ids[0], budget=Budget(key, cost, allowed_micros=100))
            as_of = yesterday + after_s * SECOND
            got = penchant.reserve(user, f"r{after_s}", [option], n=1, lapse_s=60, as_of=as_of)
            return [one.reason for one in got.refused]

        assert reserve(world.user, 0) == []
        assert reserve(unique("user"), 1) == []
        assert reserve(unique("user"), 2) == [UnreservedReason.BUDGET]
        assert reserve(unique("user"), 3, cost=20) == []
        penchant.feedback([impression(world, "r0", world.ids[0], yesterday + 4 * SECOND)])
        # Only the first was shown: 60 are released, at most one second late.
        assert reserve(unique("user"), 65, cost=61) == [UnreservedReason.BUDGET]
        assert reserve(unique("user"), 65, cost=60) == []

    def test_what_was_reserved_is_no_event(self, penchant: Penchant, world: World) -> None:
        penchant.reserve(world.user, "r", options(world.ids), n=3)
        assert penchant.rank(world.user, candidates=world.ids).cold_start
        with pytest.raises(UserNotFound):
            penchant.user(world.user)

    def test_a_forgotten_user_has_no_reservations(self, penchant: Penchant, world: World) -> None:
        penchant.reserve(world.user, "r", options(world.ids), n=3)
        receipt = penchant.forget_user(world.user)
        assert receipt.deleted_events == 0
        assert receipt.deleted["reservations"] == 1
        assert penchant.forget_user(world.user) == receipt
        assert len(penchant.reserve(world.user, "r2", options(world.ids), n=3).items) == 3

    def test_who_can_be_forgotten_can_be_exported(self, penchant: Penchant, world: World) -> None:
        for read in (penchant.export_user, penchant.forget_user):
            with pytest.raises(UserNotFound):
                read(world.user)
        penchant.reserve(world.user, "r", options(world.ids), n=3)
        export = penchant.export_user(world.user)
        assert (export.events, export.state.state_version, export.state.window) == ((), 0, ())
        assert export.to_json_ready()["user"] == world.user
        assert penchant.forget_user(world.user).deleted_events == 0
        with pytest.raises(UserNotFound):
            penchant.export_user(world.user)

    def test_bad_requests_to_reserve_are_refused(self, penchant: Penchant, world: World) -> None:
        good = ReserveOption(world.ids[0], THREE_AN_HOUR)
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        with pytest.raises(UnknownItem):
            penchant.reserve(world.user, "r", [replace(good, item=unique("nowhere"))], n=1)
        for bad in (
            [],
            [good, good],
            [replace(good, caps=[Cap("campaign", 0, 60)])],
            [replace(good, caps=[Cap("", 1, 60)])],
            [replace(good, caps=[Cap("campaign", 1, 0)])],
            [replace(good, caps=[Cap("campaign", 1, 31_536_001)])],
            [replace(good, caps=THREE_AN_HOUR * 17)],
            [replace(good, budget=Budget("", 1, 1))],
            [replace(good, budget=Budget("money", -1, 1))],
            [replace(good, budget=Budget("money", 2**53, 1))],
        ):
            with pytest.raises(InvalidRequest):
                penchant.reserve(world.user, "r", bad, n=1)
        for n, lapse_s in ((0, 60), (101, 60), (1, 0), (1, 3601)):
            with pytest.raises(InvalidRequest):
                penchant.reserve(world.user, "r", [good], n=n, lapse_s=lapse_s)
        for user, id_ in (("", "r"), ("u" * 257, "r"), (world.user, ""), (world.user, "r" * 65)):
            with pytest.raises(InvalidRequest):
                penchant.reserve(user, id_, [good], n=1)
        with pytest.raises(InvalidRequest, match="as_of_us"):
            penchant.reserve(world.user, "r", [good], n=1, as_of=tomorrow)
        assert penchant.reserve(world.user, "r", [good], n=1).items == (world.ids[0],)

    def test_threads_never_get_more_than_the_cap(self, penchant: Penchant, world: World) -> None:
        def reserve(number: int) -> int:
            caps = options(world.ids)
            got = penchant.reserve(world.user, f"r{number}", caps, n=1, timeout_s=60)
            return len(got.items)

        with ThreadPoolExecutor(8) as threads:
            assert sum(threads.map(reserve, range(24))) == 3
