"""Contributions: counters count users, not events."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.offsets import count, decay
from penchant.domain.rewards import ResolvedSignal
from penchant.domain.tally import Tally
from penchant.domain.types import Counters
from penchant.domain.user_contribution import UserContribution, contribute, credit, withdrawn

HALF_LIFE_S = 100.0
SIGNALS = st.builds(
    ResolvedSignal, st.floats(-1, 1), st.floats(0, 3), st.sampled_from([None, None, 60.0])
)
EVENTS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 1), SIGNALS, st.integers(0, 10**9)),
    min_size=1,
    max_size=12,
)
"""User, item, signal and time."""
LIKE = ResolvedSignal(1.0, 1.0, wait_s=None)

Events = Sequence[tuple[int, int, ResolvedSignal, int]]


def tally_of(events: Events) -> Tally:
    tally = Tally(HALF_LIFE_S)
    for user, item, signal, at_us in events:
        tally.count(user, item, signal, at_us)
    return tally


def assert_equal_later(one: Counters, other: Counters, at_us: int = 10**9) -> None:
    """Compares counters as of the same moment."""
    for left, right in (
        (one.positives, other.positives),
        (one.impressions, other.impressions),
    ):
        assert left * decay(at_us - one.as_of_us, HALF_LIFE_S) == pytest.approx(
            right * decay(at_us - other.as_of_us, HALF_LIFE_S), rel=1e-9, abs=1e-9
        )


@given(events=EVENTS, data=st.data())
def test_counters_do_not_depend_on_the_order_of_events(events: Events, data: st.DataObject) -> None:
    one, other = tally_of(events), tally_of(data.draw(st.permutations(list(events))))
    assert one.counters.keys() == other.counters.keys()
    for item, counters in one.counters.items():
        assert counters.as_of_us == other.counters[item].as_of_us
        assert_equal_later(counters, other.counters[item])


@given(events=EVENTS, gone=st.integers(0, 2))
def test_a_withdrawn_user_leaves_counters_as_if_there_had_never_been_one(
    events: Events, gone: int
) -> None:
    everybody = tally_of(events)
    others = tally_of([event for event in events if event[0] != gone])
    for item, users in everybody.contributions.items():
        counters = everybody.counters[item]
        if gone in users:
            counters = withdrawn(counters, users[gone], HALF_LIFE_S)
        assert_equal_later(counters, others.counters.get(item, Counters()))


@given(signals=st.lists(st.tuples(SIGNALS, st.integers(0, 10**9)), min_size=1, max_size=12))
def test_a_user_counts_for_an_item_at_most_as_much_as_one_event(
    signals: list[tuple[ResolvedSignal, int]],
) -> None:
    contribution: UserContribution | None = None
    for signal, at_us in signals:
        contribution = contribute(contribution, signal, at_us, HALF_LIFE_S)
    assert contribution is not None
    outcomes = [signal for signal, _ in signals if signal.wait_s is None]
    strongest = max((max(0.0, one.reward) * one.weight for one in outcomes), default=0.0)
    assert contribution.counted.positives <= strongest
    assert contribution.counted.impressions <= 1.0


@given(
    events=st.lists(
        st.tuples(SIGNALS, st.integers(0, 10**9)), min_size=1, max_size=12, unique_by=lambda e: e[1]
    )
)
def test_users_with_one_event_each_count_as_their_events(
    events: list[tuple[ResolvedSignal, int]],
) -> None:
    tally, plain = Tally(HALF_LIFE_S), Counters()
    for user, (signal, at_us) in enumerate(events):
        tally.count(user, 7, signal, at_us)
        shown = signal.wait_s is not None
        positive = 0.0 if shown else max(0.0, signal.reward) * signal.weight
        plain = count(plain, positive, float(shown), at_us, HALF_LIFE_S)
    counters = tally.counters[7]
    assert (counters.positives, counters.impressions) == pytest.approx(
        (plain.positives, plain.impressions), rel=1e-12
    )
    assert counters.as_of_us == plain.as_of_us


def test_a_repeated_event_renews_a_contribution_that_has_faded() -> None:
    late_us = 300_000_000
    faded = contribute(None, LIKE, 0, HALF_LIFE_S)
    renewed = contribute(faded, LIKE, late_us, HALF_LIFE_S)
    assert renewed.counted == Counters(1.0, 0.0, late_us)


def test_the_catalogs_credit_counts_in_full() -> None:
    assert credit(Counters(7.5, 0.0, 3)).counted == Counters(7.5, 0.0, 3)


def test_a_withdrawal_never_leaves_the_rounding_of_a_sum() -> None:
    tally = Tally(HALF_LIFE_S)
    for user in range(10):
        tally.count(user, 0, ResolvedSignal(0.1, 1.0, wait_s=None), at_us=user)
    counters = tally.counters[0]
    for contribution in tally.contributions[0].values():
        counters = withdrawn(counters, contribution, HALF_LIFE_S)
    assert counters.positives == 0.0
