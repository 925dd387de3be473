"""A log as evaluations read it: items and users by number, events in time order."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from penchant.domain.arrays import Float32, Int64, Mask
from penchant.domain.errors import ConfigError
from penchant.domain.rewards import SignalTable
from penchant.domain.types import Event, Item
from penchant.logs.accept import accept
from penchant.logs.event_log import EventLog
from penchant.logs.interactions import ContextValues, Interactions, context_values
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import Relevance


@dataclass(frozen=True, slots=True)
class Stream:
    """Items and the events about them, in time order; n events in all arrays."""

    items: tuple[Item, ...]
    """An item's number is its place here."""
    users: tuple[str, ...]
    """A user's number is its place here."""
    events: Sequence[Event]
    """n events, as they would be sent to a server."""
    user: Int64
    """User numbers, shape (n,)."""
    item: Int64
    """Item numbers, shape (n,)."""
    at_us: Int64
    """Microseconds since 1970, never falling, shape (n,)."""
    reward: Float32
    """-1 to 1, shape (n,)."""
    weight: Float32
    """0 or more, shape (n,)."""
    relevant: Mask
    """Events that count as a hit, shape (n,)."""
    put_at: Int64
    """The position before which each item was put, shape (items,); 0: known from the start."""
    signals: SignalTable
    """The signal table of the rewards and the weights."""


def make_stream(
    items: Iterable[Item],
    events: Iterable[Event],
    signals: SignalTable,
    relevance: Relevance,
    left_out: LeftOut,
) -> Stream:
    """Turns items and events into arrays, in time order; at equal times in the order given.

    Args:
        items: the catalog.
        events: the log, in the order of arrival.
        signals: rewards of the signals.
        relevance: which events count as a hit.
        left_out: counts the events that a server would refuse; see `accept`.

    Raises:
        ConfigError: no event is left.
    """
    catalog = tuple(items)
    numbers = {item.id: number for number, item in enumerate(catalog)}
    log = events if isinstance(events, EventLog) else EventLog.of(events)
    left_out.rows["events"] = max(left_out.rows["events"], len(log))
    accepted = accept(log, numbers, signals, left_out)
    if not len(accepted.position):
        why = "; ".join([*left_out.reasons(), *left_out.warnings]) or "there are none"
        raise ConfigError(f"events: none of {len(log):,} can be used; {why}")
    order = np.argsort(log.at_us[accepted.position], kind="stable")
    position, pair = accepted.position[order], accepted.pair[order]
    _, first, user = np.unique(log.user.code[position], return_index=True, return_inverse=True)
    by_first = np.argsort(first)
    numbered = np.empty_like(by_first)
    numbered[by_first] = np.arange(len(by_first))
    pairs = accepted.pairs
    hits = np.zeros(len(pairs.example), np.bool_)
    for met in np.unique(pair).tolist():
        hits[met] = relevance(log.event(int(pairs.example[met])), float(pairs.reward[met]))
    return Stream(
        items=catalog,
        users=tuple(log.user.at(position[at]) for at in first[by_first].tolist()),
        events=log if _is_all_of(position, len(log)) else log.take(position),
        user=numbered[user],
        item=accepted.item[order],
        at_us=log.at_us[position],
        reward=accepted.reward[order].astype(np.float32),
        weight=accepted.weight[order].astype(np.float32),
        relevant=hits[pair],
        put_at=np.zeros(len(catalog), np.int64),
        signals=signals,
    )


def _is_all_of(position: Int64, count: int) -> bool:
    """Whether positions are all of n, in order: a large log need not be in memory twice."""
    return len(position) == count and bool(np.array_equal(position, np.arange(count)))


def outcomes_before(stream: Stream, until: int) -> Interactions:
    """The events before a position, as a refresh reads them."""
    return Interactions(
        user=stream.user[:until],
        item=stream.item[:until],
        reward=stream.reward[:until],
        at_us=stream.at_us[:until],
        weight=stream.weight[:until],
        **signals_before(stream, until),
        context=_contexts_before(stream, until),
    )


def _contexts_before(stream: Stream, until: int) -> dict[str, ContextValues]:
    events = stream.events
    if not isinstance(events, EventLog):
        if not any(event.context for event in events[:until]):
            return {}
        events = EventLog.of(events[:until])
    return context_values(events, slice(0, until))


class _Signals(TypedDict):
    signal: Int64
    signals: tuple[str, ...]


def signals_before(stream: Stream, until: int) -> _Signals:
    """The signals of the events before a position: places, shape (until,), in a tuple of names."""
    events = stream.events
    if isinstance(events, EventLog):
        codes, names = events.signal.code[:until], tuple(events.signal.distinct)
        return {"signal": codes.astype(np.int64), "signals": names}
    names = tuple(sorted({event.signal for event in events}))
    place = {name: number for number, name in enumerate(names)}
    found = np.array([place[event.signal] for event in events[:until]], np.int64)
    return {"signal": found, "signals": names}


def likes_by_signal(stream: Stream) -> dict[str, int]:
    """Events with a positive reward by signal."""
    return outcomes_before(stream, len(stream.events)).likes_by_signal()


def with_objective(stream: Stream, names: Collection[str]) -> Stream:
    """The stream in which the likes of some signals alone are hits."""
    found = signals_before(stream, len(stream.events))
    chosen = np.array([name in names for name in found["signals"]], np.bool_)
    return dataclasses.replace(stream, relevant=chosen[found["signal"]] & (stream.reward > 0))


def part_of(stream: Stream, positions: Int64) -> Stream:
    """Returns the stream of the events at some positions, shape (m,), in their order.

    Items and users keep their numbers.
    """
    events = stream.events
    return dataclasses.replace(
        stream,
        events=events.take(positions)
        if isinstance(events, EventLog)
        else tuple(events[position] for position in positions.tolist()),
        user=stream.user[positions],
        item=stream.item[positions],
        at_us=stream.at_us[positions],
        reward=stream.reward[positions],
        weight=stream.weight[positions],
        relevant=stream.relevant[positions],
    )


def first_events(stream: Stream, count: int) -> Stream:
    """Returns the stream of the first `count` events, or of all where there are fewer."""
    return part_of(stream, np.arange(min(count, len(stream.events))))
