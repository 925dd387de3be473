"""A clock that was wrong for a moment has no lasting effect; what it dated is moved to now."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from penchant.domain.limits import AHEAD_US
from penchant.domain.reservations import Budget, Cap, Reservations, ReserveOption, ReserveRequest
from penchant.service.clock import LASTED_US, SteplessClock, system_clock
from penchant.service.clock_evidence import doubt_unseen
from penchant.service.event_results import EventStatus
from penchant.service.feedback import FeedbackService
from penchant.service.reserve import ReserveService
from penchant.store.lmdb import LmdbStore
from tests.support.world import NOW_US, SECOND_US, CountingMeter, World, liked
from tests.unit.service.test_item_counts import counters, new_world

YEAR_US = 365 * 86_400 * SECOND_US
DAY_US = 86_400 * SECOND_US


@pytest.fixture
def world(tmp_path: Path) -> World:
    return new_world(tmp_path)


def at(world: World, now_us: int, event_id: str, item: str, user: str) -> None:
    """Accepts a like at a time of the server's clock."""
    world.now_us = now_us
    event = dataclasses.replace(liked(event_id, item, user=user), occurred_at_us=now_us)
    (result,) = world.feed(event)
    assert result.status is EventStatus.ACCEPTED


def test_a_year_ahead_for_one_event_fades_no_other_item(world: World) -> None:
    world.feed(*(liked("e", "heat", user=f"u{n}") for n in range(8)))
    world.feed(liked("e", "dune", user="v"), liked("e", "toy", user="v"))
    before = world.view().offsets.copy()
    at(world, NOW_US + YEAR_US, "wrong", "dune", "w")
    at(world, NOW_US + SECOND_US, "right", "toy", "v")
    after = World(world.directory, store=world.store)
    after.now_us = NOW_US + SECOND_US
    after.feed(liked("e2", "toy", user="v"))
    assert after.view().offsets[1] == pytest.approx(before[1], abs=0.4)
    assert after.view().offsets[1] > after.view().offsets[0]
    assert "store_ahead" in after.meter.clock_doubts


def test_the_item_of_the_wrong_time_keeps_its_counts_and_goes_on_growing(world: World) -> None:
    world.feed(*(liked("e", "dune", user=f"u{n}") for n in range(8)))
    world.feed(liked("e", "heat", user="v"), liked("e", "toy", user="v"))
    at(world, NOW_US + YEAR_US, "wrong", "dune", "w")
    assert counters(world)[2].positives < 1.1
    for n in range(3):
        at(world, NOW_US + n, f"right{n}", "dune", f"x{n}")
    assert counters(world)[2].positives == pytest.approx(12.0, abs=0.01)


def test_an_event_of_a_wrong_time_does_not_stay_its_users_newest(world: World) -> None:
    world.feed(liked("e", "heat", user="v"), liked("e", "toy", user="v"))
    at(world, NOW_US + YEAR_US, "wrong", "dune", "u")
    at(world, NOW_US, "r1", "heat", "u")
    at(world, NOW_US + 1_000 * SECOND_US, "r2", "toy", "u")
    window = world.record("u").window
    assert window["item"].tolist() == [2, 1, 0], "in the order of their arrival"
    assert window["occurred_at_us"].max() <= NOW_US + 1_000 * SECOND_US
    assert max(row.event.occurred_at_us for row in world.log("u")) <= NOW_US + 1_000 * SECOND_US
    assert [row.state_version for row in world.log("u")] == [1, 2, 3]
    assert "redated" in world.meter.clock_doubts


def test_a_clock_that_is_behind_changes_nothing_in_the_store(world: World) -> None:
    world.feed(liked("e", "heat"), liked("e", "dune", user="v"), liked("e", "toy", user="v"))
    record = world.record("u").window["occurred_at_us"].tolist()
    at(world, NOW_US - YEAR_US, "early", "heat", "u")
    assert world.record("u").window["occurred_at_us"].tolist() == [NOW_US - YEAR_US, *record]
    assert counters(world)[1].as_of_us == NOW_US
    assert counters(world)[1].positives == pytest.approx(1.0)


def restarted(world: World, now_us: int, installed_us: int = 0) -> World:
    """A server that starts on the world's store at a time of the clock."""
    again = World(world.directory, store=world.store)
    again.now_us = now_us
    again.feedback = FeedbackService(
        again.store,
        again.catalogs,
        again.config.signals,
        again.read_item_biases(),
        again.clock,
        again.meter,
        installed_us,
    )
    return again


def test_hours_with_a_clock_a_year_ahead_are_put_right_after_a_restart_with_the_right_one(
    world: World,
) -> None:
    for n in range(6):
        at(world, NOW_US + n * SECOND_US, f"before{n}", "heat", "u")
    ahead_us = NOW_US + YEAR_US
    for n in range(6):  # Every item, so that most were counted ahead of the right time.
        for item in ("dune", "heat", "toy"):
            at(world, ahead_us + n * SECOND_US, f"ahead{n}{item}", item, "u")
    right_us = NOW_US + 3_600 * SECOND_US
    again = restarted(world, right_us)
    at(again, right_us, "after", "toy", "u")
    assert again.record("u").window["occurred_at_us"].max() <= right_us + AHEAD_US
    assert again.record("u").window["item"][-1] == again.view().number("toy")
    assert set(again.meter.clock_doubts) == {"store_ahead", "redated"}
    later_us = right_us + 7_200 * SECOND_US
    at(again, later_us, "later", "heat", "u")
    assert again.record("u").window["occurred_at_us"][-1] == later_us, "newest again"
    again.meter.clock_doubts.clear()
    at(again, later_us + SECOND_US, "settled", "dune", "u")
    assert not again.meter.clock_doubts


def test_a_clock_a_day_behind_a_busy_store_changes_nothing_in_it(world: World) -> None:
    for hour in range(48):
        for item in ("dune", "heat", "toy"):
            at(world, NOW_US + hour * 3_600 * SECOND_US, f"{hour}{item}", item, "u")
    before = world.record("u").window["occurred_at_us"].tolist()
    behind_us = NOW_US + 24 * 3_600 * SECOND_US
    again = restarted(world, behind_us)
    at(again, behind_us, "behind", "heat", "u")
    assert sorted([*before, behind_us]) == again.record("u").window["occurred_at_us"].tolist()


def test_a_clock_before_the_installation_is_behind_whatever_the_store_holds(world: World) -> None:
    at(world, NOW_US - 3 * YEAR_US, "old", "heat", "u")
    at(world, NOW_US, "e", "heat", "u")
    again = restarted(world, NOW_US - 2 * YEAR_US, installed_us=NOW_US - YEAR_US)
    at(again, NOW_US - 2 * YEAR_US, "behind", "toy", "u")
    assert again.record("u").window["occurred_at_us"].max() == NOW_US


def test_a_clock_that_was_set_back_was_ahead_even_where_all_events_are_of_that_time(
    world: World,
) -> None:
    wall, steady = [NOW_US + YEAR_US], [0]
    clock = SteplessClock(world.meter, lambda: 1000 * wall[0], lambda: 1000 * steady[0])
    world.feedback = FeedbackService(
        world.store,
        world.catalogs,
        world.config.signals,
        world.read_item_biases(),
        clock,
        world.meter,
    )
    for n, item in enumerate(("dune", "heat", "toy")):
        at(world, clock(), f"ahead{n}", item, "u")
    wall[0] -= YEAR_US
    clock()
    wall[0] += LASTED_US
    steady[0] += LASTED_US
    clock()
    at(world, clock(), "right", "toy", "u")
    assert world.record("u").window["occurred_at_us"].max() <= clock() + AHEAD_US
    assert "redated" in world.meter.clock_doubts


def test_a_start_long_after_all_that_the_store_holds_is_said_and_refuses_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(tmp_path / "catalog", store=LmdbStore(tmp_path, map_bytes=1 << 24))
    world.put(toy="toy story")
    at(world, NOW_US, "e", "toy", "u")
    now_us = system_clock()
    doubt_unseen(world.store, now_us, tmp_path, world.meter)
    assert not world.meter.clock_doubts
    doubt_unseen(world.store, now_us + YEAR_US, tmp_path, world.meter)
    assert world.meter.clock_doubts == ["unseen"]
    assert "365 days after the newest event" in caplog.text


def reserve(world: World, id_: str, now_us: int) -> Reservations:
    world.now_us = now_us
    option = ReserveOption("toy", (Cap("c", 1, 3600),), Budget("money", 60, 100))
    request = ReserveRequest("u", id_, (option,), 1, lapse_s=60)
    (reply,) = ReserveService(world.store, world.catalogs, world.clock, world.meter).reserve(
        [request]
    )
    assert isinstance(reply, Reservations)
    return reply


def test_a_day_ahead_for_one_reservation_caps_until_it_lapses_and_no_longer(world: World) -> None:
    assert reserve(world, "r1", NOW_US + DAY_US).reserved
    assert reserve(world, "r2", NOW_US).refused
    assert reserve(world, "r3", NOW_US + 59 * SECOND_US).refused
    assert reserve(world, "r4", NOW_US + 61 * SECOND_US).reserved


def test_an_impression_at_a_wrong_time_caps_for_its_window_and_no_longer(world: World) -> None:
    assert reserve(world, "r1", NOW_US + DAY_US).reserved
    shown = liked("i", "toy", signal="impression", recommendation_id="r1")
    world.feed(dataclasses.replace(shown, occurred_at_us=NOW_US + DAY_US))
    assert reserve(world, "r2", NOW_US).refused
    assert reserve(world, "r3", NOW_US + 3599 * SECOND_US).refused
    assert reserve(world, "r4", NOW_US + 3601 * SECOND_US).refused  # The budget is spent.
    assert reserve(world, "r4", NOW_US + 3601 * SECOND_US).refused[0].reason.value == "budget"


def test_a_step_of_the_clock_is_followed_only_once_it_has_lasted() -> None:
    wall, steady = [NOW_US], [0]
    meter = CountingMeter()
    clock = SteplessClock(meter, lambda: 1000 * wall[0], lambda: 1000 * steady[0])

    def tick(seconds: float, step_us: int = 0) -> None:
        wall[0] += round(seconds * SECOND_US) + step_us
        steady[0] += round(seconds * SECOND_US)

    tick(10)
    assert clock() == NOW_US + 10 * SECOND_US
    tick(1, YEAR_US)
    assert clock() == NOW_US + 11 * SECOND_US
    tick(5)
    assert clock() == NOW_US + 16 * SECOND_US
    tick(1, -YEAR_US)
    assert clock() == NOW_US + 17 * SECOND_US
    tick(1, DAY_US)
    assert clock() == NOW_US + 18 * SECOND_US
    tick(LASTED_US / SECOND_US)
    clock()
    assert clock() == wall[0]
    assert meter.clock_doubts == ["step", "step"]


def test_refused_events_are_counted_and_logged_once_for_each_cause(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    late = dataclasses.replace(liked("e", "heat"), occurred_at_us=NOW_US + DAY_US)
    for number in range(3):
        (result,) = world.feed(dataclasses.replace(late, event_id=f"e{number}"))
        assert "ahead of the server's clock" in result.message
    assert world.meter.refusals == {"InvalidEvent": 3}
    assert caplog.text.count("the first for its cause") == 1
