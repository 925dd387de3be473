"""The outcomes in a store's log by user, kept from one refresh to the next.

A process that refreshes again and again reads the logs of those users alone whose records have
changed: with them the log has, since a record is a function of its log. The records of all users
are looked at each time.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from penchant.domain.arrays import Float64, Int64
from penchant.domain.errors import StateCorrupt
from penchant.domain.retired_signals import RetiredSignals
from penchant.domain.rewards import SignalTable
from penchant.domain.types import Context
from penchant.logs.interactions import ContextValues, Interactions
from penchant.store.base import Snapshot
from penchant.store.items import read_sound_item
from penchant.store.users import read_log, read_user, scan_user_ids

_Number = TypeVar("_Number", np.int64, np.float64)


@dataclass(frozen=True, slots=True)
class _UserOutcomes:
    """The outcomes of one user's log; item numbers, not rows, so that they stay valid."""

    item: Int64
    reward: Float64
    weight: Float64
    signal: Int64
    """Places in the signal table, in alphabetical order."""
    at_us: Int64
    context: Int64
    """Places among the contexts that the log holds."""
    retired: RetiredSignals


@dataclass(slots=True)
class RememberedLog:
    """What was read of a store's log, and under which record of each user."""

    _signals: SignalTable | None = None
    _records: dict[str, tuple[int, int]] = field(default_factory=dict)
    _outcomes: dict[str, _UserOutcomes] = field(default_factory=dict)
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
        self.read_users = 0
        numbers: dict[str, int | None] = {}
        users = list(scan_user_ids(snapshot))
        for gone in self._outcomes.keys() - set(users):
            del self._outcomes[gone], self._records[gone]
        for user in users:
            record = _fingerprint(snapshot, user)
            if record is None or self._records.get(user) != record:
                self._outcomes[user] = _read_user(snapshot, user, signals, numbers, self._contexts)
                self._records[user] = record or (-1, 0)
                self.read_users += 1
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


def _read_user(
    snapshot: Snapshot,
    user: str,
    signals: SignalTable,
    numbers: dict[str, int | None],
    contexts: dict[Context, int],
) -> _UserOutcomes:
    items, times, kinds, places = array("q"), array("q"), array("q"), array("q")
    place = {name: number for number, name in enumerate(sorted(signals))}
    rewards, weights = array("d"), array("d")
    retired = RetiredSignals()
    for log_row in read_log(snapshot, user):
        event = log_row.event
        if event.item not in numbers:
            stored = read_sound_item(snapshot, event.item)
            numbers[event.item] = None if stored is None else stored.number
        number = numbers[event.item]
        outcome = retired.resolve(signals, event)
        if number is not None and outcome is not None and outcome.wait_s is None:
            items.append(number)
            rewards.append(outcome.reward)
            weights.append(outcome.weight)
            kinds.append(place[event.signal])
            times.append(event.occurred_at_us)
            places.append(contexts.setdefault(event.context, len(contexts)))
    return _UserOutcomes(
        np.array(items, np.int64),
        np.array(rewards, np.float64),
        np.array(weights, np.float64),
        np.array(kinds, np.int64),
        np.array(times, np.int64),
        np.array(places, np.int64),
        retired,
    )
