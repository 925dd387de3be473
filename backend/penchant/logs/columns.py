"""Columns of items and events: the options of every command that reads a log."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeVar

from cyclopts import Parameter

from penchant.domain.errors import ConfigError
from penchant.logs.cells import UNITS_US

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

COLUMNS_GROUP = "Columns"
"""Heading of these options in the help of a command."""

CONTEXT_PREFIX = "context."
"""Prefix of the columns that hold an event's context: `context.room`."""

RATING = "rating"
"""Column of a log without signals: the value of the signal of this name."""

OTHER_NAMES = {"id": "item_id", "user": "user_id", "item": "item_id", "occurred_at": "timestamp"}
"""The other usual name of a column, by its default name; read where the default is not there."""

_Columns = TypeVar("_Columns", bound="DataclassInstance")


@dataclass(frozen=True, slots=True)
class ItemColumns:
    """Columns of an item's fields; every other column becomes an attribute."""

    id: Annotated[str, Parameter(name="--id-column", group=COLUMNS_GROUP)] = "id"
    """Column of the item's id."""
    text: Annotated[str, Parameter(name="--text-column", group=COLUMNS_GROUP)] = "text"
    """Column of the text to encode."""
    text_template: Annotated[
        str, Parameter(metavar="TEMPLATE", group=COLUMNS_GROUP, show_default=False)
    ] = ""
    """The text, made of columns: '{title} ({year}). {genres}'. These columns stay attributes."""

    def found_in(self, names: Collection[str]) -> ItemColumns:
        """Returns the columns to read in a file with these column names.

        >>> ItemColumns().found_in(["item_id", "text"]).id
        'item_id'
        """
        return with_other_names(self, names)


@dataclass(frozen=True, slots=True)
class EventColumns:
    """Columns of an event's fields; columns such as `context.room` make its context."""

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

    def found_in(self, names: Collection[str]) -> EventColumns:
        """Returns the columns to read in a file with these column names.

        >>> found = EventColumns().found_in(["user_id", "item_id", "rating", "timestamp"])
        >>> found.user, found.constant_signal, found.value, found.occurred_at
        ('user_id', 'rating', 'rating', 'timestamp')
        """
        found = with_other_names(self, names)
        if not found.constant_signal and found.signal not in names and RATING in names:
            found = dataclasses.replace(found, constant_signal=RATING)
        if found.value not in names and RATING in names:
            found = dataclasses.replace(found, value=RATING)
        return found

    def reads(self, name: str) -> bool:
        """Whether a column holds a field or a part of the context."""
        fields = (
            self.user,
            self.item,
            self.signal,
            self.value,
            self.occurred_at,
            self.event_id,
            self.recommendation_id,
        )
        return name in fields or name.startswith(CONTEXT_PREFIX)


def with_other_names(columns: _Columns, names: Collection[str]) -> _Columns:
    """Replaces default column names that a file lacks by the other usual name that it has.

    Args:
        columns: a dataclass of column names.
        names: column names of the file.
    """
    changes = {
        field.name: OTHER_NAMES[field.default]
        for field in dataclasses.fields(columns)
        if field.default in OTHER_NAMES
        and getattr(columns, field.name) == field.default
        and field.default not in names
        and OTHER_NAMES[field.default] in names
    }
    return dataclasses.replace(columns, **changes)
