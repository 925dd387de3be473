"""A quantile is a measured value that a stated fraction of the values do not exceed."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.report.quantile import quantile

FINITE = st.floats(-1e6, 1e6)


@given(st.lists(FINITE, min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_the_smallest_value_that_the_fraction_does_not_exceed(
    values: list[float], fraction: float
) -> None:
    found = quantile(values, fraction)
    assert found in values
    count = len(values)
    assert sum(value <= found for value in values) >= fraction * count - 1e-9
    assert sum(value < found for value in values) < fraction * count + 1e-9


@given(st.lists(FINITE, min_size=1), st.randoms(use_true_random=False), st.floats(0, 1))
def test_the_order_of_the_values_does_not_matter(
    values: list[float], random: Random, fraction: float
) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)
    assert quantile(shuffled, fraction) == quantile(values, fraction)


@pytest.mark.parametrize(
    ("fraction", "expected"), [(0.0, 1.0), (0.5, 50.0), (0.95, 95.0), (0.99, 99.0), (1.0, 100.0)]
)
def test_quantiles_of_one_to_a_hundred(fraction: float, expected: float) -> None:
    assert quantile([float(value) for value in range(1, 101)], fraction) == expected


def test_a_quantile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)
