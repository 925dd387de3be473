"""Offsets: the popularity of items, from decayed counters."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.offsets import count, decay, log_odds
from penchant.domain.types import Counters

SUMS = st.floats(0, 1e6, allow_subnormal=False)
PAIRS = st.lists(st.tuples(SUMS, SUMS), min_size=1, max_size=8)


@given(pairs=PAIRS, prior=st.floats(0.1, 1000))
def test_an_item_that_nobody_saw_has_offset_nought(
    pairs: list[tuple[float, float]], prior: float
) -> None:
    positives, impressions = np.array([*pairs, (0.0, 0.0)]).T
    assert log_odds(positives, impressions, prior)[-1] == pytest.approx(0.0, abs=1e-6)


@given(pairs=PAIRS, prior=st.floats(0.1, 1000))
def test_every_offset_is_a_number(pairs: list[tuple[float, float]], prior: float) -> None:
    positives, impressions = np.array(pairs).T
    assert np.isfinite(log_odds(positives, impressions, prior)).all()


@given(positives=st.lists(SUMS, min_size=2, max_size=8), shown=SUMS)
def test_more_likes_at_equal_showings_are_never_worth_less(
    positives: list[float], shown: float
) -> None:
    offsets = log_odds(np.array(sorted(positives)), np.full(len(positives), shown), 50.0)
    assert (np.diff(offsets) >= 0).all()


@given(impressions=st.lists(SUMS, min_size=2, max_size=8), liked=st.floats(0.1, 1e6))
def test_more_showings_at_equal_likes_are_never_worth_more(
    impressions: list[float], liked: float
) -> None:
    offsets = log_odds(np.full(len(impressions), liked), np.array(sorted(impressions)), 50.0)
    assert (np.diff(offsets) <= 0).all()


@given(rate=st.floats(0.01, 1.0), items=st.integers(1, 20))
def test_average_engagement_is_near_nought_where_showings_are_many(rate: float, items: int) -> None:
    impressions = np.full(items, 100_000.0)
    assert log_odds(rate * impressions, impressions, 50.0) == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("items", [1, 10, 2_000, 100_000])
def test_one_like_says_little_however_many_items_there_are(items: int) -> None:
    positives = np.zeros(items)
    positives[0] = 1.0
    for impressions in (np.zeros(items), positives):
        assert 0 <= log_odds(positives, impressions, 50.0)[0] < 0.35


def test_many_likes_are_taken_at_their_word() -> None:
    positives = np.array([1e6, 1e5, 1e5])
    shown = np.full(3, 1e7)
    ratio = log_odds(positives, shown, 50.0)
    assert ratio[0] - ratio[1] == pytest.approx(math.log(10), abs=0.01)


def test_without_any_likes_all_offsets_are_nought() -> None:
    assert log_odds(np.zeros(3), np.array([0.0, 5.0, 1e6]), 50.0).tolist() == [0.0, 0.0, 0.0]
    assert log_odds(np.empty(0), np.empty(0), 50.0).tolist() == []


TIMES = st.lists(
    st.tuples(st.floats(0, 5), st.floats(0, 5), st.integers(0, 10**9)), min_size=1, max_size=6
)


@given(entries=TIMES, data=st.data())
def test_counters_do_not_depend_on_the_order_of_arrival(
    entries: list[tuple[float, float, int]], data: st.DataObject
) -> None:
    def total(order: list[tuple[float, float, int]]) -> Counters:
        counters = Counters()
        for positive, shown, at_us in order:
            counters = count(counters, positive, shown, at_us, half_life_s=100.0)
        return counters

    one, two = total(entries), total(data.draw(st.permutations(entries)))
    assert one.as_of_us == two.as_of_us == max(at_us for *_, at_us in entries)
    assert one.positives == pytest.approx(two.positives)
    assert one.impressions == pytest.approx(two.impressions)


@given(entries=TIMES)
def test_counters_are_the_decayed_sums(entries: list[tuple[float, float, int]]) -> None:
    counters = Counters()
    for positive, shown, at_us in entries:
        counters = count(counters, positive, shown, at_us, half_life_s=100.0)
    latest = max(at_us for *_, at_us in entries)
    left = [math.pow(0.5, (latest - at_us) / 1e6 / 100.0) for *_, at_us in entries]
    liked = sum(positive * part for (positive, _, _), part in zip(entries, left, strict=True))
    shown = sum(shown * part for (_, shown, _), part in zip(entries, left, strict=True))
    assert counters.positives == pytest.approx(liked)
    assert counters.impressions == pytest.approx(shown)


def test_half_is_left_after_a_half_life() -> None:
    assert decay(0.0, 7.0) == 1.0
    assert decay(7e6, 7.0) == 0.5
