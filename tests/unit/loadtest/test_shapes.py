"""Every shape is an open loop whose arrivals follow its curve."""

from __future__ import annotations

from itertools import pairwise

import pytest

from loadtest.shapes import SHAPES, SHARE_OF_CAPACITY, USUAL_S, RateCurve

SECONDS, HIGHEST = 240.0, 50.0


def rate_at(curve: RateCurve, at_s: float) -> float:
    """Arrivals in a second around a time, by the inverse of the curve."""
    first, last = curve.arrivals(at_s - 0.5), curve.arrivals(at_s + 0.5)
    return last - first


@pytest.mark.parametrize("shape", SHAPES)
def test_due_times_are_the_inverse_of_the_number_of_arrivals(shape: str) -> None:
    curve = RateCurve.of(shape, HIGHEST, SECONDS, lead_s=5.0)
    count = int(curve.arrivals(SECONDS + 5.0))
    dues = [curve.due_s(number) for number in range(count)]
    assert dues[0] == 0.0
    assert all(later > earlier for earlier, later in pairwise(dues))
    for number in range(0, count, 97):
        assert curve.arrivals(dues[number]) == pytest.approx(number, abs=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_goes_above_its_highest_rate_and_each_reaches_it(shape: str) -> None:
    curve = RateCurve.of(shape, HIGHEST, SECONDS)
    rates = [rate_at(curve, at) for at in range(1, int(SECONDS))]
    assert max(rates) == pytest.approx(HIGHEST, rel=0.02)
    assert min(rates) > 0
    assert shape in SHARE_OF_CAPACITY
    assert shape in USUAL_S


def test_the_shapes_are_what_they_are_called() -> None:
    curves = {shape: RateCurve.of(shape, HIGHEST, SECONDS) for shape in SHAPES}

    def at(shape: str, share: float) -> float:
        return rate_at(curves[shape], share * SECONDS)

    assert at("steady", 0.1) == pytest.approx(at("steady", 0.9))
    assert at("ramp", 0.1) < at("ramp", 0.5) < at("ramp", 0.9)
    assert at("spike", 0.5) == pytest.approx(3 * at("spike", 0.2))
    assert at("spike", 0.8) == pytest.approx(at("spike", 0.2))
    hours = [at("diurnal", (hour + 0.5) / 24) for hour in range(24)]
    assert hours.index(min(hours)) in (3, 4)
    assert hours.index(max(hours)) in (15, 16)
    assert 3 < max(hours) / min(hours) < 6


def test_behind_its_end_the_last_rate_goes_on() -> None:
    curve = RateCurve.of("ramp", HIGHEST, SECONDS)
    end = curve.arrivals(SECONDS)
    assert curve.due_s(end + HIGHEST) == pytest.approx(SECONDS + 1.0)
    assert curve.arrivals(SECONDS + 2.0) == pytest.approx(end + 2 * HIGHEST)
