"""Logged events that today's signal table has no reward for: left out, counted and named.

A signal that was dropped from the table stays in the log, since an accepted event is kept. Every
job that reads a log counts such events here, instead of ending at the first of them.

>>> from penchant.domain.rewards import Signal
>>> retired = RetiredSignals()
>>> print(retired.resolve({"like": Signal(1.0)}, Event("e1", "ann", "film", "rating", 5.0, 0)))
None
>>> for kind, remedy, count in retired.cases():
...     print(f"{kind}: {count} ({remedy})")
events with the signal 'rating', which the signal table does not hold: 1 (1 user; add the signal \
to the table; if it is gone for good from a store, run `penchant rebuild`)
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from penchant.domain.errors import InvalidEvent
from penchant.domain.rewards import ResolvedSignal, SignalTable, in_other_case, resolve
from penchant.domain.types import Event


@dataclass(slots=True)
class RetiredSignals:
    """Counts of the events that the signal table refuses, by signal and reason."""

    events: Counter[str] = field(default_factory=Counter)
    """By kind."""
    users: dict[str, set[str]] = field(default_factory=dict)
    """By kind."""

    def resolve(self, table: SignalTable, event: Event) -> ResolvedSignal | None:
        """The reward of a logged event; None, and counted, if the table refuses it."""
        try:
            return resolve(table, event.signal, event.value)
        except InvalidEvent as error:
            self.note(kind_of(table, event.signal, error), event.user)
            return None

    def note(self, kind: str, user: str) -> None:
        """Counts an event of a kind."""
        self.events[kind] += 1
        self.users.setdefault(kind, set()).add(user)

    def add(self, other: RetiredSignals) -> None:
        """Counts what another count holds."""
        self.events.update(other.events)
        for kind, users in other.users.items():
            self.users.setdefault(kind, set()).update(users)

    def cases(self) -> list[tuple[str, str, int]]:
        """Kind of event, what to know and do about it, and number of events; most events first."""
        return [
            (kind, remedy(kind, len(self.users[kind])), count)
            for kind, count in self.events.most_common()
        ]


def kind_of(table: SignalTable, signal: str, error: InvalidEvent) -> str:
    """The kind of an event that the table refuses, in words."""
    if signal not in table:
        meant = in_other_case(table, signal)
        known = f" (it holds {meant!r})" if meant else ""
        return f"events with the signal {signal[:64]!r}{known}, {_LACKING}"
    return f"events that the signal table refuses, {error}"


def remedy(kind: str, users: int) -> str:
    """How many users sent events of a kind, and what to do about them."""
    by = f"{users:,} user{'' if users == 1 else 's'}"
    if kind.endswith(_LACKING):
        return (
            f"{by}; add the signal to the table; if it is gone for good from a store, run "
            "`penchant rebuild`"
        )
    return by


_LACKING = "which the signal table does not hold"
