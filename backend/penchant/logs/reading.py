"""From items and events, of files or of MovieLens, to a stream in time order."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from penchant.domain.errors import ConfigError, InvalidEvent
from penchant.domain.rewards import ResolvedSignal, SignalTable, admit
from penchant.domain.types import Event, Item
from penchant.logs.events import EventColumns, ItemColumns
from penchant.logs.relevance import Relevance
from penchant.logs.stream import Stream
from penchant.logs.tables.cells import BadRow
from penchant.logs.tables.files import Row, Table

T = TypeVar("T")

RATING = "rating"

_ITEM_ALIASES = {"id": "item_id"}
_EVENT_ALIASES = {"user": "user_id", "item": "item_id", "occurred_at": "timestamp"}


@dataclass(slots=True)
class LeftOut:
    """Rows that a server would refuse too, or has already."""

    counts: Counter[str] = field(default_factory=Counter)
    """Rows by kind of trouble."""
    first: dict[str, str] = field(default_factory=dict)
    """The first case of each kind."""

    def add(self, kind: str, what: str, count: int = 1) -> None:
        """Notes one, or so many of which `what` is the first."""
        self.counts[kind] += count
        self.first.setdefault(kind, what)


def read_items(table: Table, columns: ItemColumns, left_out: LeftOut) -> list[Item]:
    """The items of a table; of two with one id, the later one at the place of the first.

    Raises:
        ConfigError: not one row can be read.
    """

    def fit(names: Iterable[str]) -> Callable[[Row], Item]:
        return _with_aliases(columns, _ITEM_ALIASES, names).read

    items = {item.id: item for item in _read(table, fit, "items", left_out)}
    return list(items.values())


def read_events(table: Table, columns: EventColumns, left_out: LeftOut) -> list[Event]:
    """The events of a table, in its order.

    Besides the columns that are named, `user_id`, `item_id` and `timestamp` are known, and in a
    table without a signal column, `rating` is the value of the signal of that name.

    Raises:
        ConfigError: not one row can be read.
    """

    def fit(names: Iterable[str]) -> Callable[[Row], Event]:
        return fitted(columns, names).read

    return list(_read(table, fit, "events", left_out))


def fitted(columns: EventColumns, names: Iterable[str]) -> EventColumns:
    """The columns of events as `read_events` takes them in a table with these column names."""
    present = set(names)
    found = _with_aliases(columns, _EVENT_ALIASES, present)
    if not found.constant_signal and found.signal not in present and RATING in present:
        found = dataclasses.replace(found, constant_signal=RATING)
    if found.value not in present and RATING in present:
        found = dataclasses.replace(found, value=RATING)
    return found


def make_stream(
    items: Iterable[Item],
    events: Iterable[Event],
    signals: SignalTable,
    relevance: Relevance,
    left_out: LeftOut,
) -> Stream:
    """Items and events as arrays, in time order; at equal times in the order given.

    Events that a server would not take are left out: about an unknown item, with a signal or a
    value that the table refuses, or with an id that the user's log holds already.

    Raises:
        ConfigError: no event is left.
    """
    catalog = tuple(items)
    numbers = {item.id: number for number, item in enumerate(catalog)}
    kept = sorted(_taken(events, numbers, signals, left_out), key=lambda pair: _time(pair[0]))
    if not kept:
        raise ConfigError(f"events: none can be used; {_first_of(left_out)}")
    users: dict[str, int] = {}
    user = [users.setdefault(event.user, len(users)) for event, _ in kept]
    reward = np.array([outcome.reward for _, outcome in kept], np.float32)
    return Stream(
        items=catalog,
        users=tuple(users),
        events=tuple(event for event, _ in kept),
        user=np.array(user, np.int64),
        item=np.array([numbers[event.item] for event, _ in kept], np.int64),
        at_us=np.array([event.occurred_at_us for event, _ in kept], np.int64),
        reward=reward,
        weight=np.array([outcome.weight for _, outcome in kept], np.float32),
        relevant=np.array([relevance(event, outcome.reward) for event, outcome in kept], np.bool_),
        put_at=np.zeros(len(catalog), np.int64),
    )


def _taken(
    events: Iterable[Event], numbers: Mapping[str, int], signals: SignalTable, left_out: LeftOut
) -> Iterator[tuple[Event, ResolvedSignal]]:
    known: set[tuple[str, str]] = set()
    for event in events:
        if event.item not in numbers:
            left_out.add("events about unknown items", f"item {event.item[:64]!r}")
            continue
        if (event.user, event.event_id) in known:
            left_out.add("events known already", f"event_id {event.event_id[:64]!r}")
            continue
        try:
            outcome = admit(signals, event.signal, event.value)
        except InvalidEvent as error:
            left_out.add("events refused", str(error))
            continue
        known.add((event.user, event.event_id))
        yield event, outcome


def _read(
    table: Table,
    fit: Callable[[Iterable[str]], Callable[[Row], T]],
    kind: str,
    left_out: LeftOut,
) -> Iterator[T]:
    read: Callable[[Row], T] | None = None
    taken = 0
    for row in table.rows():
        if read is None and not row.fault:
            read = fit(row.values.keys())
        try:
            if read is None:
                raise BadRow(row.fault)
            thing = read(row)
        except BadRow as error:
            left_out.add(f"unreadable rows of {kind}", f"row {row.number}: {error}")
            continue
        taken += 1
        yield thing
    if not taken:
        raise ConfigError(f"{kind}: no row can be read; {_first_of(left_out)}")


_Columns = TypeVar("_Columns", ItemColumns, EventColumns)


def _with_aliases(columns: _Columns, aliases: Mapping[str, str], names: Iterable[str]) -> _Columns:
    """Takes a column by its other usual name where the default is not there."""
    present = set(names)
    changes = {
        name: alias
        for name, alias in aliases.items()
        if getattr(columns, name) == name and name not in present and alias in present
    }
    return dataclasses.replace(columns, **changes)


def _time(event: Event) -> int:
    return event.occurred_at_us


def _first_of(left_out: LeftOut) -> str:
    return next(iter(left_out.first.values()), "the file is empty")
