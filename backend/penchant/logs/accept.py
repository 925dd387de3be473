"""Decides which events of a log a server would accept, and the reward of each.

An event is left out if it is about an unknown item, if its user's log holds its id already, or if
the signal table refuses its signal or value. The first of these reasons counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from penchant.domain.arrays import Float64, Int64, Mask
from penchant.domain.errors import InvalidEvent
from penchant.domain.rewards import SignalTable, resolve
from penchant.logs.event_log import EventLog
from penchant.logs.refusals import LeftOut

_UNKNOWN = -1
_ODD = np.uint64(0x9E3779B97F4A7C15)
"""Spreads user numbers over all 64 bits; two numbers never become one."""


@dataclass(frozen=True, slots=True)
class AcceptedEvents:
    """m events of a log, in its order."""

    position: Int64
    """Places in the log, shape (m,)."""
    item: Int64
    """Item numbers, shape (m,)."""
    reward: Float64
    """-1 to 1, shape (m,)."""
    weight: Float64
    """0 or more, shape (m,)."""
    impression: Mask
    """Events whose reward counts only where no answer comes, shape (m,)."""
    pair: Int64
    """Number of the event's pair of signal and value, shape (m,)."""
    example: Int64
    """A place in the log with each pair, by the pair's number."""


def accept(
    log: EventLog, items: Mapping[str, int], signals: SignalTable, left_out: LeftOut
) -> AcceptedEvents:
    """Selects the events that a server would accept.

    Args:
        log: n events, in the order of their arrival.
        items: item numbers by item id.
        signals: rewards of the signals.
        left_out: counts the other events.

    Cost: one look at each distinct item, and at each distinct pair of signal and value.
    """
    numbers = np.array([items.get(id_, _UNKNOWN) for id_ in log.item.distinct], np.int64)
    item = numbers[log.item.code]
    unknown = item == _UNKNOWN
    pairs = _Pairs.of(log, ~unknown, signals)
    refused = ~unknown & np.isnan(pairs.reward[pairs.number])
    repeated = _repeated(log, ~unknown, refused)
    refused &= ~repeated
    kinds: list[tuple[str, Mask, Callable[[int], str]]] = [
        ("events about unknown items", unknown, lambda at: f"item {log.item.at(at)[:64]!r}"),
        ("events known already", repeated, lambda at: f"event_id {log[at].event_id[:64]!r}"),
        ("events refused", refused, lambda at: pairs.errors[int(pairs.number[at])]),
    ]
    met = [one for one in kinds if one[1].any()]
    for kind, mask, what in sorted(met, key=lambda one: int(one[1].argmax())):
        left_out.add(kind, what(int(mask.argmax())), int(np.count_nonzero(mask)))
    position = np.flatnonzero(~(unknown | repeated | refused))
    pair = pairs.number[position]
    return AcceptedEvents(
        position=position,
        item=item[position],
        reward=pairs.reward[pair],
        weight=pairs.weight[pair],
        impression=pairs.impression[pair],
        pair=pair,
        example=pairs.example,
    )


@dataclass(frozen=True, slots=True)
class _Pairs:
    """The distinct pairs of signal and value in a log, p of them."""

    number: Int64
    """Pair of each event, shape (n,)."""
    example: Int64
    """An event with each pair, shape (p,)."""
    reward: Float64
    """NaN: the signal table refuses the pair, shape (p,)."""
    weight: Float64
    impression: Mask
    errors: Mapping[int, str] = field(default_factory=dict)
    """Why the table refuses a pair, by its number."""

    @classmethod
    def of(cls, log: EventLog, known: Mask, signals: SignalTable) -> _Pairs:
        """Resolves the pairs of the events about known items."""
        values, value = np.unique(log.value, return_inverse=True)
        coded = log.signal.code.astype(np.int64) * max(1, len(values)) + value
        _, example, number = np.unique(coded, return_index=True, return_inverse=True)
        met = np.zeros(len(example), np.bool_)
        met[number[known]] = True
        reward, weight = np.full((2, len(example)), np.nan)
        impression = np.zeros(len(example), np.bool_)
        errors = {}
        for pair in np.flatnonzero(met).tolist():
            event = log[example[pair]]
            try:
                outcome = resolve(signals, event.signal, event.value)
            except InvalidEvent as error:
                errors[pair] = str(error)
                continue
            reward[pair], weight[pair] = outcome.reward, outcome.weight
            impression[pair] = outcome.wait_s is not None
        return cls(number, example, reward, weight, impression, errors)


def _repeated(log: EventLog, known: Mask, refused: Mask) -> Mask:
    """Marks events after an accepted one with the same user and id, shape (n,).

    Ids are compared by 64-bit hashes, as stores compare them.
    """
    repeated = np.zeros(len(log), np.bool_)
    if log.event_id is None:
        return repeated  # Then the row number is part of each id.
    places = np.flatnonzero(known)
    keys = _hashes(log)[places] + log.user.code[places].astype(np.uint64) * _ODD
    distinct, number = np.unique(keys, return_inverse=True)
    if len(distinct) == len(keys):
        return repeated
    accepted = np.flatnonzero(~refused[places])[::-1]
    first = np.full(len(distinct), len(places))
    first[number[accepted]] = accepted  # The last assignment stays: that of the earliest event.
    repeated[places] = np.arange(len(places)) > first[number]
    return repeated


def _hashes(log: EventLog) -> NDArray[np.uint64]:
    chunk = 1 << 16
    hashes = np.empty(len(log), np.int64)
    for start in range(0, len(log), chunk):
        ids = log.event_id[start : start + chunk].to_pylist()
        hashes[start : start + len(ids)] = np.fromiter(map(hash, ids), np.int64, len(ids))
    return hashes.view(np.uint64)
