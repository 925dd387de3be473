"""The simulation of a server obeys the laws of queues, and a plan those of common sense."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from benchmarks.costs.cost_curve import CostCurve
from benchmarks.fleet.call_costs import CallCosts
from benchmarks.fleet.fleet_assumptions import FleetAssumptions, assumption_rows
from benchmarks.fleet.fleet_plan import FleetSize, capacity_of, outage_s, plan
from benchmarks.fleet.measured_server import CallsAtWork
from benchmarks.fleet.prediction import predicted_per_s
from benchmarks.fleet.server_queue import (
    MOST_IN_A_BATCH,
    OfferedLoad,
    ServerCosts,
    ServerShape,
    SimulatedRun,
    simulated,
)
from penchant.report.quantile import quantile

SERVICE_S = 0.01
RANK_ALONE = ServerCosts(SERVICE_S, 0.0, lambda events: 0.0, 0.0)
BOTH = ServerCosts(0.002, 0.0005, lambda events: 0.001 + 0.0005 * events, 0.0003)


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_one_queue_waits_as_pollaczek_and_khinchine_say(load: float) -> None:
    """M/D/1: the mean wait is rho s / (2 (1 - rho))."""
    offered = OfferedLoad(load / SERVICE_S)
    run = simulated(ServerShape(1, 1), RANK_ALONE, offered, 900.0)
    expected = SERVICE_S + load * SERVICE_S / (2 * (1 - load))
    assert mean(run.rank_s) == pytest.approx(expected, rel=0.08)


@pytest.mark.parametrize("load", [0.3, 0.8])
def test_littles_law_holds(load: float) -> None:
    """L = lambda W, over both kinds of calls."""
    offered = OfferedLoad(load * 300, load * 150)
    run = simulated(ServerShape(2, 2), BOTH, offered, 60.0)
    took = run.rank_s + run.feedback_s
    arrived_per_s = len(took) / run.seconds
    assert run.mean_in_system == pytest.approx(arrived_per_s * mean(took), rel=0.03)


def test_without_load_a_call_takes_its_own_time() -> None:
    run = simulated(ServerShape(4, 2), BOTH, OfferedLoad(0.2, 0.2), 400.0)
    assert quantile(run.rank_s, 0.5) == pytest.approx(0.0025)
    assert quantile(run.feedback_s, 0.5) == pytest.approx(0.0005 + 0.0015 + 0.0003)


def test_more_processes_and_more_cores_are_never_worse() -> None:
    offered = OfferedLoad(600.0, 100.0)
    shapes = [ServerShape(2, 1), ServerShape(2, 2), ServerShape(4, 2), ServerShape(4, 4)]
    p99 = []
    for shape in shapes:
        run = simulated(shape, BOTH, offered, 8.0)
        p99.append(quantile(run.rank_s, 0.99))
    assert all(more <= less * 1.02 for less, more in pairwise(p99)), p99


def test_commits_grow_with_the_load_up_to_a_batch_and_lose_no_event() -> None:
    def batches(rate: float) -> SimulatedRun:
        return simulated(ServerShape(2, 1), BOTH, OfferedLoad(0.0, rate), 20.0)

    calm, busy = batches(50.0), batches(1500.0)
    assert mean([*map(float, calm.batches)]) < 1.3
    assert mean([*map(float, busy.batches)]) > 2.0
    assert max(busy.batches) <= MOST_IN_A_BATCH
    # A tenth is warm-up; the rest came, and was answered or is inside.
    assert sum(busy.batches) + busy.left == pytest.approx(1500 * 20, rel=0.03)


def test_too_much_load_stays_inside() -> None:
    run = simulated(ServerShape(1, 1), RANK_ALONE, OfferedLoad(200.0), 20.0)
    assert run.left == pytest.approx(100 * 20, rel=0.1)
    assert run.core_seconds == pytest.approx(20.0, rel=0.01)


def line(what: str, axis: str, sizes: tuple[int, ...], cost: tuple[float, ...]) -> CostCurve:
    ratio = tuple(one / cost[0] for one in cost)
    return CostCurve(what, axis, "us", sizes, cost, ratio, 0.0, 0.0, 1.0)


COSTS = CallCosts(
    {
        (one.what, one.axis): one
        for one in (
            line("rank, whole catalog", "items", (100, 10_000), (100.0, 400.0)),
            line("rank, whole catalog", "k", (1, 1000), (100.0, 900.0)),
            line("rank, whole catalog", "dimensions", (1, 64, 1024), (90.0, 150.0, 900.0)),
            line("fold", "window", (1, 1000), (50.0, 1000.0)),
            line("fold", "dimensions", (1, 64, 1024), (50.0, 200.0, 90_000.0)),
            line("feedback, the whole commit", "batch", (1, 100), (1000.0, 20_000.0)),
            line("bytes of a user's record", "window", (1, 1000), (500.0, 70_000.0)),
            line("bytes an event in the log", "events", (1, 1000), (300.0, 300.0)),
            line("bytes of a ranking's reply", "k", (1, 1000), (100.0, 40_000.0)),
            line("bytes an item in the store", "items", (1, 1000), (900.0, 900.0)),
            line("bytes an item in mapped files", "dimensions", (1, 1024), (16.0, 16_000.0)),
        )
    }
)
GIVEN = FleetAssumptions(items=10_000)
CALLS = 1500
"""Simulated calls of a trial: enough for laws that leave room."""


@pytest.fixture(scope="module")
def fleets() -> list[FleetSize]:
    bears = capacity_of(GIVEN, COSTS, CALLS)
    return [plan(users, GIVEN, COSTS, bears) for users in (10**6, 10**8, 10**9)]


def test_a_plan_grows_with_the_users_and_never_faster(fleets: list[FleetSize]) -> None:
    servers = [one.servers for one in fleets]
    assert servers == sorted(servers)
    for less, more in pairwise(fleets):
        assert more.servers <= less.servers * more.users / less.users
        assert more.disk_gb > less.disk_gb
    assert all(one.memory_gb <= GIVEN.memory_gb for one in fleets)


def test_a_better_server_is_never_needed_more_often(fleets: list[FleetSize]) -> None:
    for better in (
        replace(GIVEN, cores=32),
        replace(GIVEN, memory_gb=128.0),
        replace(GIVEN, disk_gb=4000.0),
        replace(GIVEN, window=64),
    ):
        bears = capacity_of(better, COSTS, CALLS)
        # Bisection stops within a few per cent.
        assert bears >= 0.95 * fleets[1].per_server
        assert plan(10**8, better, COSTS, bears).servers <= 1.05 * fleets[1].servers


def test_an_outage_lasts_longer_the_fuller_the_server_was() -> None:
    outages = [outage_s(GIVEN, load * 1000, 1000) for load in (0.0, 0.3, 0.7, 0.9)]
    assert outages[0] == GIVEN.restart_s
    assert outages == sorted(outages)
    assert outages[2] == pytest.approx(GIVEN.restart_s / 0.3)


def test_a_second_process_helps_as_far_as_there_are_cores() -> None:
    work = CallsAtWork(1000.0, 500.0, 100.0, 0.0, 0.0, 8, 500.0)
    one, two = (predicted_per_s(work, count, 0.0, 50.0, 0.0, CALLS) for count in (1, 2))
    assert 850 < one < 1050
    assert two == pytest.approx(2 * one, rel=0.1)
    crowded = replace(work, cores=1)
    alone, both = (predicted_per_s(crowded, count, 0.0, 50.0, 0.0, CALLS) for count in (1, 2))
    assert both == pytest.approx(alone, rel=0.1)


def test_every_assumption_is_in_the_table_with_its_meaning() -> None:
    rows = assumption_rows(GIVEN)
    assert len(rows) == len(FleetAssumptions.__dataclass_fields__)
    assert all(meaning and value for meaning, value in rows)
