"""Decides which events of a log a server would accept, and the reward of each.

An event is left out if it is about an unknown item, if its user's log holds its id already, or if
the signal table refuses its signal or value. The first of these reasons counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penchant.domain.arrays import Float64, Int32, Int64, Mask
from penchant.domain.errors import InvalidEvent
from penchant.domain.retired_signals import kind_of, remedy
from penchant.domain.rewards import SignalTable, admit
from penchant.logs.event_log import EventLog
from penchant.logs.refusals import KNOWN_ALREADY, REFUSED_EVENTS, UNKNOWN_ITEMS, LeftOut
from penchant.logs.unknown_items import MANY, likely_cause

_UNKNOWN = -1
_ODD = np.uint64(0x9E3779B97F4A7C15)
"""Spreads user numbers over all 64 bits; two numbers never become one."""


@dataclass(frozen=True, slots=True)
class SignalValuePairs:
    """The distinct pairs of signal and value in a log, p of them."""

    number: Int32
    """Pair of each event, shape (n,)."""
    example: Int64
    """An event with each pair, shape (p,)."""
    reward: Float64
    """NaN: the signal table refuses the pair, shape (p,)."""
    weight: Float64
    impression: Mask
    errors: Mapping[int, str] = field(default_factory=dict)
    """Why the table refuses a pair, by its number."""
    retired: Mapping[str, list[int]] = field(default_factory=dict)
    """Pairs whose signal the table does not hold, by the kind of their events."""

    @classmethod
    def of(cls, log: EventLog, known: Mask, signals: SignalTable) -> SignalValuePairs:
        """Resolves the pairs of the events about known items."""
        count, value = _numbered(log.value)
        pairs, number = _numbered(log.signal.code.astype(np.int64) * max(1, count) + value)
        example = np.zeros(pairs, np.int64)
        example[number[::-1]] = np.arange(len(log))[::-1]  # The earliest is assigned last.
        met = np.zeros(pairs, np.bool_)
        met[number[known]] = True
        reward, weight = np.full((2, pairs), np.nan)
        impression = np.zeros(pairs, np.bool_)
        errors = {}
        retired: dict[str, list[int]] = {}
        for pair in np.flatnonzero(met).tolist():
            event = log.event(int(example[pair]))
            try:
                outcome = admit(signals, event.signal, event.value)
            except InvalidEvent as error:
                errors[pair] = str(error)
                if event.signal not in signals:
                    retired.setdefault(kind_of(signals, event.signal, error), []).append(pair)
                continue
            reward[pair], weight[pair] = outcome.reward, outcome.weight
            impression[pair] = outcome.wait_s is not None
        return cls(number, example, reward, weight, impression, errors, retired)


@dataclass(frozen=True, slots=True)
class AcceptedEvents:
    """m events of a log, in its order; rewards are held by pair of signal and value."""

    position: Int64
    """Places in the log, shape (m,)."""
    item: Int64
    """Item numbers, shape (m,)."""
    pair: Int32
    """Number of each event's pair, shape (m,)."""
    pairs: SignalValuePairs

    @property
    def reward(self) -> Float64:
        """Rewards, -1 to 1, shape (m,)."""
        return self.pairs.reward[self.pair]

    @property
    def weight(self) -> Float64:
        """Weights, 0 or more, shape (m,)."""
        return self.pairs.weight[self.pair]

    @property
    def impression(self) -> Mask:
        """Events whose reward counts only where no answer comes, shape (m,)."""
        return self.pairs.impression[self.pair]


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
    pairs = SignalValuePairs.of(log, ~unknown, signals)
    refused = ~unknown & np.isnan(pairs.reward[pairs.number])
    repeated = _repeated(log, ~unknown, refused)
    refused &= ~repeated
    kinds: list[tuple[str, Mask, Callable[[int], str]]] = [
        (UNKNOWN_ITEMS, unknown, lambda at: f"item {log.item.at(at)[:64]!r}"),
        (KNOWN_ALREADY, repeated, lambda at: f"event_id {log.event(at).event_id[:64]!r}"),
    ]
    otherwise = refused
    for kind, numbered in pairs.retired.items():
        mine = refused & np.isin(pairs.number, numbered)
        what = remedy(kind, len(np.unique(log.user.code[mine])))
        kinds.append((kind, mine, _always(what)))
        otherwise = otherwise & ~mine
    kinds.append((REFUSED_EVENTS, otherwise, lambda at: pairs.errors[int(pairs.number[at])]))
    _warn_of_unknown(log, items, numbers, unknown, left_out)
    met = [one for one in kinds if one[1].any()]
    for kind, mask, describe in sorted(met, key=lambda one: int(one[1].argmax())):
        left_out.add(kind, describe(int(mask.argmax())), int(np.count_nonzero(mask)))
    position = np.flatnonzero(~(unknown | repeated | refused))
    return AcceptedEvents(position, item[position], pairs.number[position], pairs)


def _warn_of_unknown(
    log: EventLog, items: Mapping[str, int], numbers: Int64, unknown: Mask, left_out: LeftOut
) -> None:
    """Warns where most events are about items that the catalog does not hold, and says why."""
    count = int(np.count_nonzero(unknown))
    if not count or count < len(log) * MANY:
        return
    strange = [id_ for id_, number in zip(log.item.distinct, numbers, strict=True) if number < 0]
    example, of_catalog = strange[0][:64], next(iter(items), "")[:64]
    cause = likely_cause(strange, items.keys(), log.user.distinct)
    every = "share no id" if count == len(log) else f"share ids in {len(log) - count:,} events only"
    left_out.warnings.append(
        f"the log and the items {every} of {len(log):,}: the log is about items such as "
        f"{example!r}, the catalog holds such as {of_catalog!r}; "
        + (cause or "are both of one catalog, and is the item's column the right one?")
    )


def _always(what: str) -> Callable[[int], str]:
    return lambda at: what


def _numbered(values: NDArray[Any]) -> tuple[int, Int32]:
    """Returns the count of distinct values, and the number of each value, shape (n,)."""
    coded = pa.array(values).dictionary_encode()
    return len(coded.dictionary), coded.indices.to_numpy()


def _repeated(log: EventLog, known: Mask, refused: Mask) -> Mask:
    """Marks events after an accepted one with the same user and id, shape (n,).

    Ids are compared by 64-bit hashes, as stores compare them.
    """
    repeated = np.zeros(len(log), np.bool_)
    if log.event_id is None:
        return repeated  # Then the row number is part of each id.
    keys = _hashes(log)[known]
    ordered = np.sort(keys)
    if not (ordered[1:] == ordered[:-1]).any():
        return repeated
    distinct, number = np.unique(keys, return_inverse=True)
    accepted = np.flatnonzero(~refused[known])[::-1]
    first = np.full(len(distinct), len(keys))
    first[number[accepted]] = accepted  # The earliest event is assigned last.
    repeated[known] = np.arange(len(keys)) > first[number]
    return repeated


def _hashes(log: EventLog) -> NDArray[np.uint64]:
    """Returns a hash of each event's user and id, shape (n,)."""
    chunk = 1 << 16
    hashes = np.empty(len(log), np.uint64)
    for start in range(0, len(log), chunk):
        rows = slice(start, start + chunk)
        ids = log.event_id[rows].to_pylist()
        hashes[rows] = np.fromiter(map(hash, ids), np.int64, len(ids)).view(np.uint64)
        hashes[rows] += log.user.code[rows].astype(np.uint64) * _ODD
    return hashes
