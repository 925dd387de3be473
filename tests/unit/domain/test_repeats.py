"""Repeats: what the user liked before, exact by event."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.repeats import repeat_all, repeat_shares, repeat_some, repeats_of
from penchant.domain.settings import FoldSettings
from penchant.domain.types import NO_WAIT, WINDOW_DTYPE, Window

SETTINGS = dataclasses.replace(FoldSettings(), repeat_half_life_s=86400.0)
NOW = 1_000_000
"""The time bucket of now."""
ITEMS = 6
EVENTS = st.lists(
    st.tuples(st.integers(0, ITEMS - 1), st.floats(-1, 1), st.integers(0, 500)), max_size=12
)


def window_of(events: list[tuple[int, float, int]]) -> Window:
    """Events as (item, reward, age in time buckets), the oldest first."""
    window = np.zeros(len(events), WINDOW_DTYPE)
    for row, (item, reward, age) in enumerate(sorted(events, key=lambda event: -event[2])):
        window[row]["item"], window[row]["reward"] = item, reward
        window[row]["occurred_at_us"] = (NOW - age) * int(SETTINGS.time_bucket_s * 1e6)
    window["wait_s"] = NO_WAIT
    return window


def values(*events: tuple[int, float, int]) -> list[float]:
    found = repeats_of(window_of(list(events)), NOW, SETTINGS)
    return [float(value) for value in repeat_all(found, ITEMS)]


@given(events=EVENTS)
def test_the_events_shares_sum_to_the_part_and_some_agree_with_all(
    events: list[tuple[int, float, int]],
) -> None:
    window = window_of(events)
    found = repeats_of(window, NOW, SETTINGS)
    everything = repeat_all(found, ITEMS)
    wanted = np.array([4, 0, 2])
    np.testing.assert_allclose(repeat_some(found, wanted), everything[wanted], atol=1e-6)
    shares = repeat_shares(found, np.arange(ITEMS), len(window))
    np.testing.assert_allclose(shares.sum(axis=1), everything, atol=1e-6)
    assert (everything < 1).all()
    assert (everything >= -1).all()


def test_what_was_liked_more_often_or_later_is_higher() -> None:
    often, once, late, disliked = values(
        (0, 1.0, 144), (0, 1.0, 145), (1, 1.0, 144), (2, 1.0, 10), (3, -1.0, 10)
    )[:4]
    assert often > once > disliked == 0
    assert late > once


def test_what_was_liked_within_the_pause_is_had_already() -> None:
    had, before = values((0, 1.0, 2), (0, 1.0, 300), (1, 1.0, 300))[:2]
    assert had < 0 < before


def test_a_user_without_likes_repeats_nothing() -> None:
    assert values((0, -1.0, 10)) == pytest.approx([0.0] * ITEMS)
    assert values() == pytest.approx([0.0] * ITEMS)


BASKETS = dataclasses.replace(SETTINGS, repeat_basket_weight=4.0)
VISIT = int(3600 / SETTINGS.time_bucket_s)
"""Time buckets that end a visit."""


@given(events=EVENTS)
def test_the_events_shares_sum_to_the_part_with_a_basket_too(
    events: list[tuple[int, float, int]],
) -> None:
    window = window_of(events)
    found = repeats_of(window, NOW, BASKETS)
    shares = repeat_shares(found, np.arange(ITEMS), len(window))
    np.testing.assert_allclose(shares.sum(axis=1), repeat_all(found, ITEMS), atol=1e-6)


def test_what_was_bought_with_what_is_in_the_basket_is_higher() -> None:
    """Items 0 and 1 were bought on one visit, 2 and 3 on another; 0 is in the basket."""
    visits = [(0, 1.0, 300), (1, 1.0, 300), (2, 1.0, 300 - 2 * VISIT), (3, 1.0, 300 - 2 * VISIT)]
    window = window_of([*visits, (0, 1.0, 1)])
    with_basket = repeat_all(repeats_of(window, NOW, BASKETS), ITEMS)
    without = repeat_all(repeats_of(window, NOW, SETTINGS), ITEMS)
    assert with_basket[1] > with_basket[2] == with_basket[3]
    assert without[1] < without[2]


def test_without_a_basket_its_weight_changes_nothing() -> None:
    window = window_of([(0, 1.0, 300), (1, 1.0, 200), (0, 1.0, 100)])
    for found in (repeats_of(window, NOW, BASKETS), repeats_of(window, NOW, SETTINGS)):
        np.testing.assert_array_equal(
            repeat_all(found, ITEMS), repeat_all(repeats_of(window, NOW, SETTINGS), ITEMS)
        )
