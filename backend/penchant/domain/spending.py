"""A budget: the money that impressions have spent, and that open reservations hold.

>>> spending = Spending().hold(30, lapses_at_us=1_500_000, now_us=0)
>>> spending.committed_micros(now_us=1_999_999), spending.committed_micros(now_us=2_000_000)
(30, 0)
>>> spending.confirm(30, lapses_at_us=1_500_000)
Spending(spent_micros=30, held={})
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from penchant.domain.reservations import Pace

_SECOND_US = 1_000_000

LONGEST_HOLD_US = 2 * 3600 * _SECOND_US
"""Later than this after now, no reservation lapses."""


BUCKET_US = 5 * _SECOND_US
"""Length of the times by which recent reservations are summed up."""

RECENT_BUCKETS = 13
"""Buckets kept: a minute, the longest window of a pace, and the one in which it begins."""


@dataclass(frozen=True, slots=True)
class Spending:
    """The state of one budget, over all users."""

    spent_micros: int = 0
    """Spent by impressions that were shown."""
    held: Mapping[int, int] = field(default_factory=dict)
    """Micros held by reservations, by the second since 1970 at which they lapse, rounded up.

    Grouping by second keeps the record small under any load. Money is released up to a second late,
    never early.
    """
    granted: Mapping[int, int] = field(default_factory=dict, compare=False, repr=False)
    """Micros reserved lately, given back or not, by the time of the reservation in whole
    `BUCKET_US`. Only `keeps` looks at it: budgets with the same money are equal."""

    def committed_micros(self, now_us: int) -> int:
        """Micros spent, plus those that open reservations hold at `now_us`."""
        return self.spent_micros + sum(self._open(now_us).values())

    def hold(self, micros: int, lapses_at_us: int, now_us: int) -> Spending:
        """The budget after a reservation; reservations that lapsed by `now_us` are dropped."""
        held = self._open(now_us)
        second = lapse_second(lapses_at_us)
        held[second] = held.get(second, 0) + micros
        bucket = now_us // BUCKET_US
        granted = {at: sum_ for at, sum_ in self.granted.items() if at > bucket - RECENT_BUCKETS}
        granted[bucket] = granted.get(bucket, 0) + micros
        return Spending(self.spent_micros, held, granted)

    def confirm(self, micros: int, lapses_at_us: int) -> Spending:
        """The budget after a reserved impression was shown, whether or not it had lapsed."""
        left = self.release(micros, lapses_at_us)
        return Spending(self.spent_micros + micros, left.held, self.granted)

    def release(self, micros: int, lapses_at_us: int) -> Spending:
        """The budget after a reservation was given up before its impression was shown."""
        held = dict(self.held)
        second = lapse_second(lapses_at_us)
        left = held.pop(second, 0) - micros
        if left > 0:
            held[second] = left
        return Spending(self.spent_micros, held, self.granted)

    def settled(self, spent_micros: int, freed: Mapping[int, int]) -> Spending:
        """The budget with more spent and less held, by the seconds at which the holds lapse.

        >>> Spending(held={9: 30}).settled(20, {9: 20, 7: 5})
        Spending(spent_micros=20, held={9: 10})
        """
        held = {second: micros - freed.get(second, 0) for second, micros in self.held.items()}
        left = {second: micros for second, micros in held.items() if micros > 0}
        return Spending(self.spent_micros + spent_micros, left, self.granted)

    def without(self, micros: int, lapses_at_us: int, now_us: int) -> Spending:
        """The budget as if a reservation had never been made.

        Args:
            micros: of the reservation.
            lapses_at_us: when it would lapse.
            now_us: when it was made.

        >>> budget = Spending().hold(30, lapses_at_us=1_500_000, now_us=0)
        >>> left = budget.without(30, lapses_at_us=1_500_000, now_us=0)
        >>> left.held, left.granted
        ({}, {})
        """
        granted = dict(self.granted)
        recent = granted.pop(now_us // BUCKET_US, 0) - micros
        if recent > 0:
            granted[now_us // BUCKET_US] = recent
        return Spending(self.spent_micros, self.release(micros, lapses_at_us).held, granted)

    def until(self, clock_us: int) -> Spending:
        """The budget without holds of reservations that a wrong clock dated far ahead.

        A hold lasts an hour at most, so a later one would block the money for as long as the clock
        was ahead.
        """
        latest = (clock_us + LONGEST_HOLD_US) // _SECOND_US
        if all(second <= latest for second in self.held):
            return self
        held = {second: micros for second, micros in self.held.items() if second <= latest}
        return Spending(self.spent_micros, held)

    def keeps(self, pace: Pace, cost_micros: int, now_us: int) -> bool:
        """Whether one more reservation keeps the pace; the first within a window always does.

        A window may take `window_micros`, or, if that is more, its share of what is left of the
        budget, spread evenly over the time that is left. So what a pause has left over is spent by
        the end, and never faster than that takes. Of the bucket in which the window begins, the
        share within the window counts.
        """
        since_us = now_us - pace.window_s * _SECOND_US
        recent = sum(
            micros * min(BUCKET_US, max(0, (at + 1) * BUCKET_US - since_us)) // BUCKET_US
            for at, micros in self.granted.items()
        )
        if not recent:
            return True
        before = max(0, self.committed_micros(now_us) - recent)
        left = max(0, pace.total_micros - before)
        spread = left * pace.window_s // (pace.left_s + pace.window_s)
        return recent + cost_micros <= max(pace.window_micros, spread)

    def _open(self, now_us: int) -> dict[int, int]:
        return {second: held for second, held in self.held.items() if second * _SECOND_US > now_us}


def lapse_second(time_us: int) -> int:
    """The second since 1970 under which a hold that lapses at a time is kept: rounded up."""
    return -(-time_us // _SECOND_US)
