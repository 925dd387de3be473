"""Joins the events of many batches into one log, without holding any column twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import DTypeLike, NDArray

from penchant.domain.types import Exposure
from penchant.logs.cell_arrays import CodedTexts
from penchant.logs.event_log import EventLog, text_array


def joined(parts: Iterable[EventLog]) -> EventLog:
    """Returns the events of all parts, in order; holds one part at a time beside the result."""
    gathered = _GatheredEvents()
    for part in parts:
        gathered.add(part)
    return gathered.log()


class _GrowingArray:
    """Numbers in one buffer that grows in place; no part's own array is kept."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._buffer: NDArray[Any] = np.empty(0, dtype)
        self._count = 0

    def add(self, numbers: NDArray[Any]) -> None:
        count = self._count + len(numbers)
        if count > len(self._buffer):
            self._buffer.resize(count + count // 8, refcheck=False)
        self._buffer[self._count : count] = numbers
        self._count = count

    def array(self) -> NDArray[Any]:
        """Returns a view of the numbers, valid until more are added."""
        return self._buffer[: self._count]


class _GrowingTexts:
    """Texts as Arrow holds them: one buffer of bytes, one of the places where each text ends."""

    def __init__(self) -> None:
        self._bytes = _GrowingArray(np.uint8)
        self._ends = _GrowingArray(np.int64)
        self._ends.add(np.zeros(1, np.int64))

    def add(self, texts: Any) -> None:
        """Adds an Arrow array of large strings without nulls."""
        if len(texts):
            _, ends, content = texts.buffers()
            offsets = np.frombuffer(ends, np.int64)[texts.offset : texts.offset + len(texts) + 1]
            part = np.frombuffer(content or b"", np.uint8)[offsets[0] : offsets[-1]]
            self._ends.add(offsets[1:] - offsets[0] + len(self._bytes.array()))
            self._bytes.add(part)

    def array(self) -> Any:
        """Returns the texts as an Arrow array, valid until more are added."""
        ends, content = self._ends.array(), self._bytes.array()
        buffers = [None, pa.py_buffer(ends), pa.py_buffer(content)]
        return pa.Array.from_buffers(pa.large_string(), len(ends) - 1, buffers)


class _GatheredTexts:
    """One column of coded texts."""

    def __init__(self, missing: int = 0) -> None:
        """Begins with empty texts for the events that came before the column."""
        self._places: dict[str, int] = {"": 0} if missing else {}
        self._codes = _GrowingArray(np.int32)
        self._codes.add(np.zeros(missing, np.int32))

    def add(self, texts: CodedTexts) -> None:
        used = np.zeros(len(texts.distinct), np.bool_)
        used[texts.code] = True
        places = np.zeros(len(texts.distinct), np.int32)
        for code in np.flatnonzero(used).tolist():
            places[code] = self._places.setdefault(texts.distinct[code], len(self._places))
        self._codes.add(places[texts.code])

    def texts(self) -> CodedTexts:
        return CodedTexts(list(self._places), self._codes.array())


class _GatheredEvents:
    """All columns of the events so far."""

    def __init__(self) -> None:
        self._count = 0
        self._user, self._item, self._signal = (_GatheredTexts() for _ in range(3))
        self._value = _GrowingArray(np.float64)
        self._at_us, self._number = _GrowingArray(np.int64), _GrowingArray(np.int64)
        self._event_id: _GrowingTexts | None = None
        self._recommendation_id: _GrowingTexts | None = None
        self._context: dict[str, _GatheredTexts] = {}
        self._attributes: dict[str, _GatheredTexts] = {}
        self._exposure: list[Exposure | None] = []

    def add(self, part: EventLog) -> None:
        count = len(part)
        self._add_event_ids(part)
        if part.recommendation_id is not None and self._recommendation_id is None:
            self._recommendation_id = _GrowingTexts()
            self._recommendation_id.add(text_array([""] * self._count))
        if self._recommendation_id is not None:
            given = part.recommendation_id
            self._recommendation_id.add(text_array([""] * count) if given is None else given)
        self._user.add(part.user)
        self._item.add(part.item)
        self._signal.add(part.signal)
        self._value.add(part.value)
        self._at_us.add(part.at_us)
        self._number.add(part.number)
        self._add_columns(self._context, part.context, count)
        self._add_columns(self._attributes, part.attributes, count)
        if part.exposure is not None:
            self._exposure += [None] * (self._count - len(self._exposure))
            self._exposure += part.exposure
        self._count += count

    def log(self) -> EventLog:
        exposure = self._exposure and [
            *self._exposure,
            *[None] * (self._count - len(self._exposure)),
        ]
        recommended = self._recommendation_id
        return EventLog(
            user=self._user.texts(),
            item=self._item.texts(),
            signal=self._signal.texts(),
            value=self._value.array(),
            at_us=self._at_us.array(),
            number=self._number.array(),
            event_id=None if self._event_id is None else self._event_id.array(),
            recommendation_id=None if recommended is None else recommended.array(),
            context={key: self._context[key].texts() for key in sorted(self._context)},
            attributes={key: texts.texts() for key, texts in sorted(self._attributes.items())},
            exposure=exposure or None,
        )

    def _add_columns(
        self, gathered: dict[str, _GatheredTexts], part: Mapping[str, CodedTexts], count: int
    ) -> None:
        for key in part.keys() | gathered.keys():
            entries = gathered.setdefault(key, _GatheredTexts(self._count))
            entries.add(part.get(key) or CodedTexts.constant("", count))

    def _add_event_ids(self, part: EventLog) -> None:
        """Adds a part's ids; once a part has ids of its own, those of the others are made."""
        if part.event_id is not None and self._event_id is None:
            made = text_array([event.event_id for event in self.log()])
            self._event_id = _GrowingTexts()
            self._event_id.add(made)
        if self._event_id is not None:
            given = part.event_id
            if given is None:
                given = text_array([event.event_id for event in part])
            self._event_id.add(given)
