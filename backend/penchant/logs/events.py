"""Rows of a table to items and events, by the names of their columns."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from cyclopts import Parameter

from penchant.domain.errors import ConfigError, PenchantError
from penchant.domain.limits import Limits, check_item
from penchant.domain.types import Context, Event, Item
from penchant.logs.tables.cells import (
    UNITS_US,
    BadRow,
    is_missing,
    number_of,
    text_of,
    time_us_of,
)
from penchant.logs.tables.files import Row

_PLACE = re.compile(r"\{([^{}]+)\}")
_LIMITS = Limits()

COLUMNS_GROUP = "Columns, as for penchant import"
"""The heading of these options in the help of a command."""

CONTEXT_PREFIX = "context."
"""A column of events whose name begins so holds an entry of their contexts: `context.room`."""


@dataclass(frozen=True, slots=True)
class ItemColumns:
    """Where an item's fields are; every other column becomes an attribute.

    >>> columns = ItemColumns(text_template="{title} ({year})")
    >>> columns.read(Row(1, {"id": 7, "title": "Heat", "year": 1995}))
    Item(id='7', text='Heat (1995)', attributes={'title': 'Heat', 'year': '1995'})
    """

    id: Annotated[str, Parameter(name="--id-column", group=COLUMNS_GROUP)] = "id"
    """Column of the item's id."""
    text: Annotated[str, Parameter(name="--text-column", group=COLUMNS_GROUP)] = "text"
    """Column of the text to encode."""
    text_template: Annotated[
        str, Parameter(metavar="TEMPLATE", group=COLUMNS_GROUP, show_default=False)
    ] = ""
    """The text, made of columns: '{title} ({year}). {genres}'. These columns stay attributes."""

    def read(self, row: Row) -> Item:
        """The item of a row; raises BadRow."""
        _check_readable(row)
        id_ = _required(row.values, self.id, "id")
        text = self._text(row.values)
        taken = {self.id} if self.text_template else {self.id, self.text}
        attributes = {
            name: text_of(cell)
            for name, cell in row.values.items()
            if name not in taken and not is_missing(cell)
        }
        item = Item(id_, text, attributes)
        try:
            # Here, since a server refuses a whole call for one bad item.
            check_item("item", item, _LIMITS)
        except PenchantError as error:
            raise BadRow(str(error)) from None
        except UnicodeEncodeError:
            raise BadRow("half a surrogate pair, expected Unicode text") from None
        return item

    def _text(self, values: Mapping[str, Any]) -> str:
        if not self.text_template:
            return _required(values, self.text, "text")

        def fill(place: re.Match[str]) -> str:
            if place[1] not in values:
                raise BadRow(f"text: the template names {place[1]!r}, which the row does not have")
            return text_of(values[place[1]])

        return _PLACE.sub(fill, self.text_template).strip()


@dataclass(frozen=True, slots=True)
class EventColumns:
    """Where an event's fields are; columns such as `context.room` make its context.

    >>> columns = EventColumns(constant_signal="rating", value="stars")
    >>> event = columns.read(Row(1, {"user": 7, "item": 3, "stars": "5", "occurred_at": 60}))
    >>> event.signal, event.value, event.occurred_at_us
    ('rating', 5.0, 60000000)
    """

    user: Annotated[str, Parameter(name="--user-column", group=COLUMNS_GROUP)] = "user"
    """Column of the user."""
    item: Annotated[str, Parameter(name="--item-column", group=COLUMNS_GROUP)] = "item"
    """Column of the event's item."""
    signal: Annotated[str, Parameter(name="--signal-column", group=COLUMNS_GROUP)] = "signal"
    """Column of the signal."""
    value: Annotated[str, Parameter(name="--value-column", group=COLUMNS_GROUP)] = "value"
    """Column of the value, if any."""
    occurred_at: Annotated[str, Parameter(name="--time-column", group=COLUMNS_GROUP)] = (
        "occurred_at"
    )
    """Column of the time: ISO 8601 (UTC where it names no zone) or an epoch number."""
    event_id: Annotated[str, Parameter(name="--event-id-column", group=COLUMNS_GROUP)] = "event_id"
    """Column of the event's id; without one, content and row number make it."""
    recommendation_id: Annotated[str, Parameter(parse=False)] = "recommendation_id"
    """Column of the recommendation's id; only `--map` changes it."""
    constant_signal: Annotated[
        str, Parameter(name="--signal", group=COLUMNS_GROUP, show_default=False)
    ] = ""
    """The signal of every row, instead of a column."""
    time_unit: Annotated[str, Parameter(group=COLUMNS_GROUP)] = "s"
    """Unit of epoch times: s, ms, us or ns."""

    def __post_init__(self) -> None:
        if self.time_unit not in UNITS_US:
            raise ConfigError(f"time_unit: got {self.time_unit!r}, expected s, ms, us or ns")

    def read(self, row: Row) -> Event:
        """The event of a row; raises BadRow."""
        _check_readable(row)
        values = row.values
        when = values.get(self.occurred_at)
        if is_missing(when):
            raise BadRow(f"occurred_at: nothing in column {self.occurred_at!r}")
        signal = self.constant_signal or _required(values, self.signal, "signal")
        event = Event(
            event_id=_cell(values, self.event_id),
            user=_required(values, self.user, "user"),
            item=_required(values, self.item, "item"),
            signal=signal,
            value=number_of(values.get(self.value)),
            occurred_at_us=time_us_of(when, self.time_unit),
            recommendation_id=_cell(values, self.recommendation_id),
            context=_context(values),
        )
        if event.event_id:
            return event
        return replace(event, event_id=event_id_of(event, row.number))


def event_id_of(event: Event, number: int) -> str:
    """The id of an event that has none: a digest of its content and its row.

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


def _context(values: Mapping[str, Any]) -> Context:
    """The cells of columns such as `context.room`, by key; empty ones say nothing."""
    entries = (
        (column.removeprefix(CONTEXT_PREFIX), text_of(cell).strip())
        for column, cell in values.items()
        if column.startswith(CONTEXT_PREFIX) and not is_missing(cell)
    )
    return tuple(sorted((key, entry) for key, entry in entries if key and entry))


def _check_readable(row: Row) -> None:
    if row.fault:
        raise BadRow(row.fault)


def _required(values: Mapping[str, Any], column: str, field: str) -> str:
    text = _cell(values, column)
    if text:
        return text
    where = "is empty" if column in values else "is not there"
    raise BadRow(f"{field}: column {column!r} {where}")


def _cell(values: Mapping[str, Any], column: str) -> str:
    text = text_of(values.get(column)).strip()
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise BadRow(f"column {column!r} holds half a surrogate pair, expected Unicode text")
    return text
