"""What one user adds to an item's counters: as much as one event, however many there were.

The counters of `penchant.domain.offsets` count users, not events. A user's contribution to an item
is a pure function of that user's events on it, whatever their order of arrival:

    positives   = min(largest positive reward of one event, decayed sum of all of them)
    impressions = min(1, decayed sum of the times shown)

both as of the user's newest event on the item, and fading from then on as the counters do. Further
events thus renew a contribution and never add to it. The counters are the exact sum of all
contributions, in whatever order they came, so that one leaves without a trace. The rate of an item
that logs impressions is the share of engaged users among those it was shown to.

>>> from penchant.domain.rewards import ResolvedSignal
>>> like = ResolvedSignal(1.0, 1.0, wait_s=None)
>>> once = contribute(None, like, at_us=0, half_life_s=10.0)
>>> contribute(once, like, at_us=0, half_life_s=10.0).counted
Counters(positives=1.0, impressions=0.0, as_of_us=0)
"""

from __future__ import annotations

from dataclasses import dataclass

from penchant.domain.exact_sums import NOTHING, ExactSum, minus, part_of, plus, value_of
from penchant.domain.offsets import count, positive_of
from penchant.domain.rewards import ResolvedSignal
from penchant.domain.types import Counters, ExactCounters

MOST_IMPRESSIONS = 1.0
"""The impressions of one item that one user contributes, at most."""

_ROUNDING = -30
"""Binary places below a rounded sum from which the rest of a subtraction is rounding: 1e-9."""


@dataclass(frozen=True, slots=True)
class UserContribution:
    """The decayed sums of one user's events on one item, as of the newest of them."""

    positives: float = 0.0
    """Weighted positive rewards."""
    impressions: float = 0.0
    """Times shown."""
    strongest: float = 0.0
    """Largest weighted positive reward of one event; it does not decay."""
    as_of_us: int = 0

    @property
    def counted(self) -> Counters:
        """The part that the item's counters hold."""
        return Counters(
            positives=min(self.strongest, self.positives),
            impressions=min(MOST_IMPRESSIONS, self.impressions),
            as_of_us=self.as_of_us,
        )


def credit(counters: Counters) -> UserContribution:
    """The contribution of the catalog itself: what a new item's text is credited with."""
    return UserContribution(
        counters.positives, counters.impressions, counters.positives, counters.as_of_us
    )


def contribute(
    before: UserContribution | None, signal: ResolvedSignal, at_us: int, half_life_s: float
) -> UserContribution:
    """A user's contribution after one more event on the item, on time or late."""
    positive, shown = positive_of(signal), 0.0 if signal.wait_s is None else 1.0
    if before is None:
        return UserContribution(positive, shown, positive, at_us)
    sums = Counters(before.positives, before.impressions, before.as_of_us)
    sums = count(sums, positive, shown, at_us, half_life_s)
    strongest = max(before.strongest, positive)
    return UserContribution(sums.positives, sums.impressions, strongest, sums.as_of_us)


def merged(one: UserContribution, other: UserContribution, half_life_s: float) -> UserContribution:
    """The contribution of one user who made the events of two.

    >>> early = UserContribution(1.0, 0.0, 1.0, as_of_us=0)
    >>> merged(early, UserContribution(0.5, 1.0, 0.5, as_of_us=10_000_000), half_life_s=10.0)
    UserContribution(positives=1.0, impressions=1.0, strongest=1.0, as_of_us=10000000)
    """
    sums = Counters(one.positives, one.impressions, one.as_of_us)
    sums = count(sums, other.positives, other.impressions, other.as_of_us, half_life_s)
    strongest = max(one.strongest, other.strongest)
    return UserContribution(sums.positives, sums.impressions, strongest, sums.as_of_us)


def added(counters: Counters, contribution: UserContribution, half_life_s: float) -> Counters:
    """The counters of an item with one more contribution, whatever the order of them."""
    part = contribution.counted
    exact = _exact(counters, half_life_s)
    positives = part_of(part.positives, part.as_of_us, exact.half_life_us)
    impressions = part_of(part.impressions, part.as_of_us, exact.half_life_us)
    total = ExactCounters(
        exact.half_life_us, plus(exact.positives, positives), plus(exact.impressions, impressions)
    )
    return _seen(total, max(counters.as_of_us, part.as_of_us))


def withdrawn(counters: Counters, contribution: UserContribution, half_life_s: float) -> Counters:
    """The counters of an item without one of its contributions; never below 0.

    Counters that `added` made are as if they had never held it, except for their time.

    >>> once = UserContribution(1.0, 0.0, 1.0, as_of_us=0)
    >>> withdrawn(Counters(1.0, 0.0, 10_000_000), once, half_life_s=10.0)
    Counters(positives=0.5, impressions=0.0, as_of_us=10000000)
    """
    part = contribution.counted
    exact = _exact(counters, half_life_s)
    positives = part_of(part.positives, part.as_of_us, exact.half_life_us)
    impressions = part_of(part.impressions, part.as_of_us, exact.half_life_us)
    rounded = counters.exact is None
    total = ExactCounters(
        exact.half_life_us,
        _less(exact.positives, positives, rounded),
        _less(exact.impressions, impressions, rounded),
    )
    return _seen(total, counters.as_of_us)


def replaced(
    counters: Counters, old: UserContribution | None, new: UserContribution, half_life_s: float
) -> Counters:
    """The counters of an item after a contribution changed."""
    if old is not None:
        counters = withdrawn(counters, old, half_life_s)
    return added(counters, new, half_life_s)


def _exact(counters: Counters, half_life_s: float) -> ExactCounters:
    """The sums behind counters; those of an older release, or under another half-life, rounded."""
    half_life_us = max(1, round(half_life_s * 1e6))
    exact, at_us = counters.exact, counters.as_of_us
    if exact is not None and exact.half_life_us == half_life_us:
        return exact
    return ExactCounters(
        half_life_us,
        part_of(counters.positives, at_us, half_life_us),
        part_of(counters.impressions, at_us, half_life_us),
    )


def _seen(exact: ExactCounters, as_of_us: int) -> Counters:
    return Counters(
        value_of(exact.positives, as_of_us, exact.half_life_us),
        value_of(exact.impressions, as_of_us, exact.half_life_us),
        as_of_us,
        exact,
    )


def _less(total: ExactSum, part: ExactSum, rounded: bool) -> ExactSum:
    """The rest of a sum, which is never negative; of a rounded one, a small rest is rounding."""
    rest = minus(total, part)
    if rest.mantissa < 0:
        return NOTHING
    if rounded and rest.mantissa:
        gone = _size(rest) - _size(total)
        return NOTHING if gone < _ROUNDING else rest
    return rest


def _size(number: ExactSum) -> int:
    return number.mantissa.bit_length() + number.exponent
