"""Slopes of costs: known laws are found, and the kept file holds what the documentation needs."""

from __future__ import annotations

import time

import pytest

from benchmarks.costs.cost_curve import CostCurve, exact_curve, measured_curve
from benchmarks.costs.cost_file import read_costs


def spin(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_a_cost_that_grows_with_its_size_has_slope_1_and_a_constant_one_0() -> None:
    sizes = (1, 10, 100)
    grows = measured_curve("c", "n", {n: lambda _, n=n: spin(n * 2e-5) for n in sizes}, 3)  # type: ignore[misc]  # Bound now.
    stays = measured_curve("c", "n", {n: lambda _: spin(2e-4) for n in sizes}, 3)
    assert grows.slope == pytest.approx(1.0, abs=0.15)
    assert stays.slope == pytest.approx(0.0, abs=0.15)
    assert grows.ratio[0] == stays.ratio[0] == 1.0


def test_bytes_along_a_power_law_have_its_slope_without_error() -> None:
    curve = exact_curve("b", "n", {n: 7.0 * n**0.5 for n in (1, 10, 100, 1000)})
    assert curve.slope == pytest.approx(0.5)
    assert curve.slope_error == pytest.approx(0.0, abs=1e-9)
    assert curve.at(10_000) == pytest.approx(700.0)


@pytest.fixture(scope="module")
def costs() -> dict[tuple[str, str], CostCurve]:
    return read_costs()


@pytest.mark.parametrize("axis", ["users", "items", "window", "dimensions", "k", "batch", "events"])
def test_the_kept_curves_span_three_decades(
    costs: dict[tuple[str, str], CostCurve], axis: str
) -> None:
    curves = [one for (_, size), one in costs.items() if size == axis]
    assert curves
    assert all(one.sizes[-1] / one.sizes[0] >= 1000 for one in curves)


def test_what_the_store_holds_does_not_slow_a_call_down(
    costs: dict[tuple[str, str], CostCurve],
) -> None:
    """The claims of docs/scaling.md, on the figures that it shows."""
    for what in ("rank of 100 candidates", "feedback of one event"):
        assert abs(costs[what, "users"].slope) < 0.05
    assert abs(costs["feedback of one event", "items"].slope) < 0.1
    assert costs["rank, whole catalog", "items"].last_slope > 0.3
