"""An event log by column: what every reader of events makes, and every user of a log reads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

import numpy as np
import pyarrow as pa

from penchant.domain.arrays import Float64, Int64
from penchant.domain.types import Context, Event, Exposure
from penchant.logs.cell_arrays import CodedTexts

_BLOCK = 4096
"""Events that are objects at once while a log is iterated."""

_MOST_OBJECTS = 1 << 18
"""Largest log that keeps its events as objects, once one is asked for by position: 100 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class EventLog(Sequence[Event]):
    """n events by column; as a sequence, `Event`s that are made when they are asked for.

    About 50 bytes an event, its ids and the texts of users and items apart.

    >>> log = EventLog.of([Event("e1", "ann", "tent", "click", None, 5)])
    >>> log[0].user, log.at_us.tolist()
    ('ann', [5])
    """

    user: CodedTexts
    item: CodedTexts
    signal: CodedTexts
    value: Float64
    """NaN: none, shape (n,)."""
    at_us: Int64
    """Microseconds since 1970, shape (n,)."""
    number: Int64
    """Row numbers in the file, shape (n,); part of the ids of events that have none."""
    event_id: Any = None
    """Arrow array of text, shape (n,); None: no event has an id, see `event_id_of`."""
    recommendation_id: Any = None
    """Arrow array of text, shape (n,); None: no event has one."""
    context: Mapping[str, CodedTexts] = field(default_factory=dict)
    """By key, in alphabetical order; empty text: the event's context lacks the key."""
    attributes: Mapping[str, CodedTexts] = field(default_factory=dict)
    """What is known of the events' users, by key: part of the contexts as well, but not of the ids
    that are made for events without one."""
    exposure: Sequence[Exposure | None] | None = None
    """How each item was shown, n of them; None: not known of any."""
    _objects: tuple[Event, ...] = field(default=(), init=False, repr=False)

    @classmethod
    def of(cls, events: Iterable[Event]) -> EventLog:
        """Puts events into columns."""
        found = list(events)
        keys = sorted({key for event in found for key, _ in event.context})
        contexts = [dict(event.context) for event in found] if keys else []
        values = (np.nan if event.value is None else event.value for event in found)
        return cls(
            user=CodedTexts.of([event.user for event in found]),
            item=CodedTexts.of([event.item for event in found]),
            signal=CodedTexts.of([event.signal for event in found]),
            value=np.fromiter(values, np.float64, len(found)),
            at_us=np.array([event.occurred_at_us for event in found], np.int64),
            number=np.arange(1, len(found) + 1),
            event_id=text_array([event.event_id for event in found]),
            recommendation_id=text_array([event.recommendation_id for event in found])
            if any(event.recommendation_id for event in found)
            else None,
            context={key: CodedTexts.of([one.get(key, "") for one in contexts]) for key in keys},
            exposure=[event.exposure for event in found]
            if any(event.exposure is not None for event in found)
            else None,
        )

    def __len__(self) -> int:
        return len(self.at_us)

    @overload
    def __getitem__(self, place: int) -> Event: ...

    @overload
    def __getitem__(self, place: slice) -> EventLog: ...

    def __getitem__(self, place: int | slice) -> Event | EventLog:
        if isinstance(place, slice):
            return self.take(np.arange(len(self))[place])
        position = range(len(self))[place]  # Raises IndexError, as a sequence must.
        if len(self) > _MOST_OBJECTS:
            return self.event(position)
        if not self._objects:
            object.__setattr__(self, "_objects", tuple(self))
        return self._objects[position]

    def __iter__(self) -> Iterator[Event]:
        yield from self._objects
        for start in range(len(self._objects), len(self), _BLOCK):
            yield from self._events(slice(start, start + _BLOCK))

    def __eq__(self, other: object) -> bool:
        """Whether another sequence holds equal events in the same order."""
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(
            one == two for one, two in zip(self, other, strict=True)
        )

    def take(self, positions: Int64) -> EventLog:
        """Returns the events at some positions, shape (m,), in the order of the positions."""
        return EventLog(
            user=self.user.take(positions),
            item=self.item.take(positions),
            signal=self.signal.take(positions),
            value=self.value[positions],
            at_us=self.at_us[positions],
            number=self.number[positions],
            event_id=None if self.event_id is None else self.event_id.take(positions),
            recommendation_id=None
            if self.recommendation_id is None
            else self.recommendation_id.take(positions),
            context={key: texts.take(positions) for key, texts in self.context.items()},
            attributes={key: texts.take(positions) for key, texts in self.attributes.items()},
            exposure=None
            if self.exposure is None
            else [self.exposure[at] for at in positions.tolist()],
        )

    def event(self, position: int) -> Event:
        """Makes the event at a position; keeps no object, unlike the log as a sequence."""
        (event,) = self._events(slice(position, position + 1))
        return event

    def with_ids(self, ids: Sequence[str]) -> EventLog:
        """Returns the events with these ids, n of them."""
        return replace(self, event_id=text_array(ids))

    def _events(self, rows: slice) -> list[Event]:
        count = len(self.at_us[rows])
        without = [""] * count
        ids = without if self.event_id is None else self.event_id[rows].to_pylist()
        recommended = self.recommendation_id
        columns = zip(
            ids,
            self.user.to_list(rows),
            self.item.to_list(rows),
            self.signal.to_list(rows),
            [None if value != value else value for value in self.value[rows].tolist()],
            self.at_us[rows].tolist(),
            without if recommended is None else recommended[rows].to_pylist(),
            _contexts(self.context, rows) if self.context else [()] * count,
            [None] * count if self.exposure is None else self.exposure[rows],
            strict=True,
        )
        events = [Event(*cells) for cells in columns]
        if self.event_id is None:
            numbers = self.number[rows].tolist()
            events = [
                replace(event, event_id=event_id_of(event, number))
                for event, number in zip(events, numbers, strict=True)
            ]
        if self.attributes:
            contexts = _contexts(self.whole_context, rows)
            events = [
                replace(event, context=context)
                for event, context in zip(events, contexts, strict=True)
            ]
        return events

    @property
    def whole_context(self) -> Mapping[str, CodedTexts]:
        """Context and attributes by key, in alphabetical order; the context's go first."""
        if not self.attributes:
            return self.context
        both = {**self.attributes, **self.context}
        return {key: both[key] for key in sorted(both)}

    def with_attributes(self, attributes: Mapping[str, CodedTexts]) -> EventLog:
        """Returns the log with more attributes of the events' users, n texts each."""
        return replace(self, attributes={**self.attributes, **attributes})


def _contexts(columns: Mapping[str, CodedTexts], rows: slice) -> list[Context]:
    keys = list(columns)
    texts = [column.to_list(rows) for column in columns.values()]
    return [
        tuple((key, text) for key, text in zip(keys, one, strict=True) if text)
        for one in zip(*texts, strict=True)
    ]


def event_id_of(event: Event, number: int) -> str:
    """Makes the id of an event that has none: a digest of its content and its row number.

    The same file gives the same ids, so that importing it again changes nothing; two equal rows
    stay two events.
    """
    content: list[object] = [
        event.user,
        event.item,
        event.signal,
        event.value,
        event.occurred_at_us,
        event.recommendation_id,
        number,
    ]
    content += [event.context] if event.context else []
    text = json.dumps(content, ensure_ascii=False)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def text_array(texts: Sequence[str]) -> Any:
    """Returns texts as an Arrow array that may hold more than 2 GiB."""
    return pa.array(texts, pa.large_string())
