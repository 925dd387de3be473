from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.arrays import Int64
from penchant.domain.errors import ConfigError
from penchant.training.finetuning.time_split import split_by_time

times = st.lists(st.integers(0, 40), min_size=30, max_size=200).map(
    lambda values: np.array(sorted(values), np.int64)
)
shares = st.floats(0.05, 0.3)


def start_of_part(at_us: Int64, share: float) -> int:
    """The first event of the newest share, with all events of the same time."""
    position = len(at_us) - round(len(at_us) * share)
    return int(np.flatnonzero(at_us == at_us[position])[0])


@given(times, shares, shares)
def test_each_part_starts_after_the_previous_one_ends_or_an_empty_part_is_refused(
    at_us: Int64, validation: float, test: float
) -> None:
    first, second = start_of_part(at_us, validation + test), start_of_part(at_us, test)
    if first == 0 or first == second:
        with pytest.raises(ConfigError, match="can't be split"):
            split_by_time(at_us, validation, test)
        return
    parts = split_by_time(at_us, validation, test)
    covered = [*parts.train, *parts.validation, *parts.test]
    assert covered == list(range(len(at_us)))
    assert at_us[parts.train].max() < at_us[parts.validation].min()
    assert at_us[parts.validation].max() < at_us[parts.test].min()
    assert (parts.validation.start, parts.test.start) == (first, second)


@given(st.integers(30, 200), shares, shares)
def test_events_at_distinct_times_are_never_refused(
    count: int, validation: float, test: float
) -> None:
    parts = split_by_time(np.arange(count), validation, test)
    assert len(parts.test) == round(count * test)
    assert len(parts.train) == count - round(count * (validation + test))


def test_a_test_part_of_nothing_is_allowed() -> None:
    parts = split_by_time(np.arange(10), 0.2, 0.0)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (8, 2, 0)


@pytest.mark.parametrize(("validation", "test"), [(0.0, 0.1), (0.5, 0.5), (0.01, 0.1), (0.1, -0.1)])
def test_fractions_that_leave_a_part_empty_are_refused(validation: float, test: float) -> None:
    with pytest.raises(ConfigError, match=r"fraction|can't be split"):
        split_by_time(np.arange(10), validation, test)


def test_events_at_the_same_time_can_not_be_split() -> None:
    with pytest.raises(ConfigError, match="can't be split"):
        split_by_time(np.zeros(10, np.int64), 0.2, 0.2)
