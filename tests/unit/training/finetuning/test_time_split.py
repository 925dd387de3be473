from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import ConfigError
from penchant.training.finetuning.time_split import split_by_time

moments = st.lists(st.integers(0, 40), min_size=30, max_size=200).map(
    lambda values: np.array(sorted(values), np.int64)
)


@given(moments, st.floats(0.05, 0.3), st.floats(0.05, 0.3))
def test_no_part_begins_before_the_one_ahead_of_it_has_ended(
    at_us: np.ndarray[tuple[int], np.dtype[np.int64]], validation: float, test: float
) -> None:
    try:
        parts = split_by_time(at_us, validation, test)
    except ConfigError:
        return  # Too many events in one moment.
    covered = [*parts.train, *parts.validation, *parts.test]
    assert covered == list(range(len(at_us)))
    assert at_us[parts.train].max() < at_us[parts.validation].min()
    assert at_us[parts.validation].max() < at_us[parts.test].min()


def test_a_test_part_of_nothing_is_allowed() -> None:
    parts = split_by_time(np.arange(10), 0.2, 0.0)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (8, 2, 0)


@pytest.mark.parametrize(("validation", "test"), [(0.0, 0.1), (0.5, 0.5), (0.01, 0.1), (0.1, -0.1)])
def test_fractions_that_leave_a_part_empty_are_refused(validation: float, test: float) -> None:
    with pytest.raises(ConfigError, match=r"fraction|can't be cut"):
        split_by_time(np.arange(10), validation, test)


def test_events_of_one_moment_can_not_be_cut() -> None:
    with pytest.raises(ConfigError, match="can't be cut"):
        split_by_time(np.zeros(10, np.int64), 0.2, 0.2)
