"""What one user adds to an item's counters: as much as one event, however many there were.

The counters of `penchant.domain.offsets` count users, not events. A user's contribution to an item
is a pure function of that user's events on it, whatever their order of arrival:

    positives   = min(largest positive reward of one event, decayed sum of all of them)
    impressions = min(1, decayed sum of the times shown)

both as of the user's newest event on the item, and fading from then on as the counters do. Further
events thus renew a contribution and never add to it. The rate of an item that logs impressions is
the share of engaged users among those it was shown to.

>>> from penchant.domain.rewards import ResolvedSignal
>>> like = ResolvedSignal(1.0, 1.0, wait_s=None)
>>> once = contribute(None, like, at_us=0, half_life_s=10.0)
>>> contribute(once, like, at_us=0, half_life_s=10.0).counted
Counters(positives=1.0, impressions=0.0, as_of_us=0)
"""

from __future__ import annotations

from dataclasses import dataclass

from penchant.domain.offsets import count, decay, positive_of
from penchant.domain.rewards import ResolvedSignal
from penchant.domain.types import Counters

MOST_IMPRESSIONS = 1.0
"""The impressions of one item that one user contributes, at most."""

_NOTHING = 1e-9
"""Share of a sum below which the rest of a subtraction is rounding, and counts as 0."""


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
    """The counters of an item with one more contribution."""
    part = contribution.counted
    return count(counters, part.positives, part.impressions, part.as_of_us, half_life_s)


def withdrawn(counters: Counters, contribution: UserContribution, half_life_s: float) -> Counters:
    """The counters of an item without one of its contributions; never below 0.

    >>> once = UserContribution(1.0, 0.0, 1.0, as_of_us=0)
    >>> withdrawn(Counters(1.0, 0.0, 10_000_000), once, half_life_s=10.0)
    Counters(positives=0.5, impressions=0.0, as_of_us=10000000)
    """
    part = contribution.counted
    left = decay(max(0, counters.as_of_us - part.as_of_us), half_life_s)
    return Counters(
        positives=_less(counters.positives, part.positives * left),
        impressions=_less(counters.impressions, part.impressions * left),
        as_of_us=counters.as_of_us,
    )


def replaced(
    counters: Counters, old: UserContribution | None, new: UserContribution, half_life_s: float
) -> Counters:
    """The counters of an item after a contribution changed."""
    if old is not None:
        counters = withdrawn(counters, old, half_life_s)
    return added(counters, new, half_life_s)


def _less(total: float, part: float) -> float:
    rest = total - part
    return rest if rest > _NOTHING * total else 0.0
