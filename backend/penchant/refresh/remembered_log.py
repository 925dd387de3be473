"""The outcomes in a store's log by user, kept from one refresh to the next.

A process that refreshes again and again reads the logs of those users alone whose records have
changed: with them the log has, since a record is a function of its log. The records of all users
are looked at each time.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from penchant.domain.arrays import Int64
from penchant.domain.errors import StateCorrupt
from penchant.domain.retired_signals import RetiredSignals
from penchant.domain.rewards import SignalTable
from penchant.domain.types import Context
from penchant.logs.interactions import ContextValues, Interactions
from penchant.refresh.user_outcomes import OutcomeReaders, UserOutcomes
from penchant.store.base import Snapshot
from penchant.store.users import read_user, scan_user_ids

_Number = TypeVar("_Number", np.int64, np.float64)


@dataclass(slots=True)
class RememberedLog:
    """What was read of a store's log, and under which record of each user."""

    readers: OutcomeReaders = field(default_factory=OutcomeReaders)
    """Who reads the logs."""
    _signals: SignalTable | None = None
    _records: dict[str, tuple[int, int]] = field(default_factory=dict)
    _outcomes: dict[str, UserOutcomes] = field(default_factory=dict)
    _contexts: dict[Context, int] = field(default_factory=dict)
    """All contexts met so far, and their places."""
    read_users: int = 0
    """Users whose log the last reading had to read."""

    def read(
        self,
        snapshot: Snapshot,
        signals: SignalTable,
        rows: dict[int, int],
        retired: RetiredSignals,
    ) -> Interactions:
        """The outcomes for items that can be ranked; an impression alone is no outcome.

        Args:
            snapshot: the store.
            signals: rewards of the signals; others than before make it read everything again.
            rows: rows of the text vectors by item number.
            retired: counts the events that the signals have no reward for.

        Cost: 10 us for each user, and 10 us for each event of those whose record changed.
        """
        if signals != self._signals:
            self._signals = signals
            self._records, self._outcomes = {}, {}
        users = list(scan_user_ids(snapshot))
        for gone in self._outcomes.keys() - set(users):
            del self._outcomes[gone], self._records[gone]
        changed: dict[str, tuple[int, int]] = {}
        for user in users:
            record = _fingerprint(snapshot, user)
            if record is None or self._records.get(user) != record:
                changed[user] = record or (-1, 0)
        self.read_users = len(changed)
        found = self.readers.read(snapshot, list(changed), signals, self._contexts)
        self._outcomes |= zip(changed, found, strict=True)
        self._records |= changed
        return self._together(users, rows, retired)

    def _together(
        self, users: list[str], rows: dict[int, int], retired: RetiredSignals
    ) -> Interactions:
        found = [self._outcomes[user] for user in users]
        for one in found:
            retired.add(one.retired)
        lengths = [len(one.item) for one in found]
        user = np.repeat(np.arange(len(users)), lengths)
        number = _joined([one.item for one in found], np.int64)
        row_of = np.full(max(rows, default=-1) + 1, -1, np.int64)
        row_of[np.fromiter(rows, np.int64)] = np.fromiter(rows.values(), np.int64)
        row = np.full(len(number), -1, np.int64)
        inside = number < len(row_of)
        row[inside] = row_of[number[inside]]
        kept = row >= 0
        return Interactions(
            user=user[kept],
            item=row[kept],
            reward=_joined([one.reward for one in found], np.float64)[kept],
            at_us=_joined([one.at_us for one in found], np.int64)[kept],
            weight=_joined([one.weight for one in found], np.float64)[kept],
            signal=_joined([one.signal for one in found], np.int64)[kept],
            signals=tuple(sorted(self._signals or ())),
            context=_values_by_key(
                list(self._contexts), _joined([one.context for one in found], np.int64)[kept]
            ),
        )


def _values_by_key(contexts: Sequence[Context], place: Int64) -> dict[str, ContextValues]:
    """The values of contexts, given by their places, key by key."""
    found: dict[str, ContextValues] = {}
    for key in sorted({key for context in contexts for key, _ in context}):
        values: dict[str, int] = {}
        code = [
            values.setdefault(value, len(values)) if (value := dict(context).get(key)) else -1
            for context in contexts
        ]
        found[key] = ContextValues(np.array(code, np.int64)[place], tuple(values))
    return found


def _joined(parts: Sequence[NDArray[_Number]], dtype: type[_Number]) -> NDArray[_Number]:
    return np.concatenate([np.empty(0, dtype), *parts])


def _fingerprint(snapshot: Snapshot, user: str) -> tuple[int, int] | None:
    """State version and checksum of a record; None if it can't be read."""
    try:
        state = read_user(snapshot, user)
    except StateCorrupt:
        return None
    if state is None:
        return None
    return state.record.state_version, zlib.crc32(state.record.window.tobytes())
