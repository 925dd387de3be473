"""Counts events for their items, as `penchant.domain.user_contribution` describes."""

from __future__ import annotations

from collections.abc import Callable, Collection

from penchant.domain.rewards import ResolvedSignal
from penchant.domain.types import Counters
from penchant.domain.user_contribution import UserContribution, contribute, replaced


def _no_counters(number: int) -> Counters:
    return Counters()


def _no_contribution(number: int, user: str | int) -> UserContribution | None:
    return None


class Tally:
    """Counters and contributions: those of a whole log, or the changes of one transaction."""

    def __init__(
        self,
        half_life_s: float,
        counters_before: Callable[[int], Counters] = _no_counters,
        contribution_before: Callable[[int, str | int], UserContribution | None] = _no_contribution,
    ) -> None:
        """Starts without events.

        Args:
            half_life_s: seconds after which a contribution counts half.
            counters_before: reads an item's counters at its first event.
            contribution_before: reads a user's contribution at the first event on an item.
        """
        self.half_life_s = half_life_s
        self.counters: dict[int, Counters] = {}
        """Those of the items with events, by item number."""
        self.contributions: dict[int, dict[str | int, UserContribution]] = {}
        """By item number and user."""
        self.before: dict[int, dict[str | int, UserContribution | None]] = {}
        """Those before the first event of each; None: there was none."""
        self._counted: dict[int, Counters] = {}
        """The counters before the first event."""
        self._counters_before = counters_before
        self._contribution_before = contribution_before

    def count(self, user: str | int, number: int, signal: ResolvedSignal, at_us: int) -> Counters:
        """The item's counters after an event, in which the user's contribution is the new one.

        Args:
            user: id or number of the user.
            number: of the item.
            signal: the event's reward.
            at_us: the event's time.
        """
        users = self.contributions.setdefault(number, {})
        old = users.get(user)
        if old is None:
            old = self._contribution_before(number, user)
            self.before.setdefault(number, {})[user] = old
        counters = self.counters.get(number)
        if counters is None:
            counters = self._counted[number] = self._counters_before(number)
        new = contribute(old, signal, at_us, self.half_life_s)
        users[user] = new
        self.counters[number] = counters = replaced(counters, old, new, self.half_life_s)
        return counters

    def counters_without(self, users: Collection[str | int]) -> dict[int, Counters]:
        """The items' counters as if some users had had no event, by number.

        Items that nobody else had an event on are left out.
        """
        if not users:
            return self.counters
        found: dict[int, Counters] = {}
        for number, contributions in self.contributions.items():
            for user, new in contributions.items():
                if user not in users:
                    counters = found.get(number) or self._counted[number]
                    old = self.before[number][user]
                    found[number] = replaced(counters, old, new, self.half_life_s)
        return found
