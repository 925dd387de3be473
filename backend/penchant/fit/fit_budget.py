"""The time of a fit, counted by the clock or in trials."""

from __future__ import annotations

import time

SEARCH_SHARE = 0.5
"""Share of the time after which no more trials begin; the rest fits, measures and writes."""


class FitBudget:
    """Says whether there is time for another trial.

    >>> budget = FitBudget(minutes=10.0, trials=1)
    >>> budget.allows(), budget.spend(), budget.allows()
    (True, None, False)
    """

    def __init__(self, minutes: float, trials: int | None) -> None:
        """Begins now.

        Args:
            minutes: time of the whole fit, 0 or more.
            trials: number of trials, whatever the time; None: as many as the time allows.
        """
        self._until_s = time.monotonic() + 60.0 * minutes * SEARCH_SHARE
        self._trials = trials
        self.spent = 0
        """Trials that were begun."""

    @property
    def left_s(self) -> float:
        """Seconds until no more trials begin, 0 or more."""
        return max(0.0, self._until_s - time.monotonic())

    def allows(self) -> bool:
        """Whether another trial may begin."""
        if self._trials is not None:
            return self.spent < self._trials
        return time.monotonic() < self._until_s

    def spend(self, trials: int = 1) -> None:
        """Counts trials, those of an earlier run included."""
        self.spent += trials
