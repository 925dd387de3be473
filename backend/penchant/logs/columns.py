"""Columns of items and events: the options of every command that reads a log."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter

from penchant.domain.errors import ConfigError
from penchant.logs.found_columns import way_to
from penchant.logs.known_columns import RATINGS, folded, known_column
from penchant.logs.written_times import AUTO, TIME_UNITS

COLUMNS_GROUP = "Columns"
"""Heading of these options in the help of a command."""

PLACE_OF_TEMPLATE = re.compile(r"\{([^{}]+)\}")
"""Place of a column in a template of the text."""

CONTEXT_PREFIX = "context."
"""Prefix of the columns that hold an event's context: `context.room`."""

RATING = "rating"
"""Signal of a log without signals, but with a column of ratings."""

_TITLES = ("title", "name", "description")
"""Columns that a text may be made of, in the order of a suggestion."""


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

        Raises:
            ConfigError: several columns could be the same one.

        >>> ItemColumns().found_in(["movieId", "text"]).id
        'movieId'
        """
        found = self
        if self.id == _ITEM_DEFAULTS["id"]:
            found = dataclasses.replace(found, id=known_column("id", names, "--id-column"))
        if self.text == _ITEM_DEFAULTS["text"] and not self.text_template:
            found = dataclasses.replace(found, text=known_column("text", names, "--text-column"))
        return found

    def missing_in(self, names: Collection[str]) -> dict[str, str]:
        """Returns the columns that a file must have and lacks, by field, with a way out of it.

        It must have those of a template, and those that were named.
        """
        missing = {}
        if self.id not in names:
            missing["id"] = way_to(self.id, _ITEM_DEFAULTS["id"], "--id-column", names)
        if self.text_template:
            places = dict.fromkeys(PLACE_OF_TEMPLATE.findall(self.text_template))
            lacking = [place for place in places if place not in names]
            ways = (way_to(place, "", "--text-template", names) for place in lacking)
            if lacking:
                missing["text"] = "; ".join(ways)
        elif self.text not in names and self.text != _ITEM_DEFAULTS["text"]:
            missing["text"] = way_to(self.text, "", "--text-column", names)
        elif self.text not in names:
            titles = [name for name in names if folded(name) in _TITLES]
            titles.sort(key=lambda name: _TITLES.index(folded(name)))
            template = " ".join(f"{{{name}}}" for name in titles) or "{title} ({year})"
            missing["text"] = (
                f"name it with --text-column, or make it: --text-template '{template}'"
            )
        return missing


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
    attributes: Annotated[
        tuple[str, ...],
        Parameter(
            name="--attribute-column",
            metavar="NAME",
            group=COLUMNS_GROUP,
            negative=(),
            show_default=False,
        ),
    ] = ()
    """Column of what is known of the user, such as a country, as a part of the context;
    repeatable. Where a whole log is read, usual names are found."""
    answer: Annotated[str, Parameter(parse=False)] = ""
    """Column of yes and no that makes the signal, instead of a column of signals; see `ANSWERS`.
    Found where a whole log is read."""
    constant_signal: Annotated[
        str, Parameter(name="--signal", group=COLUMNS_GROUP, show_default=False)
    ] = ""
    """The signal of every row, instead of a column."""
    time_unit: Annotated[str, Parameter(group=COLUMNS_GROUP)] = AUTO
    """Unit of epoch times: s, ms, us or ns; or how dates are written: dmy or mdy, ymd (20240501),
    excel (days of a spreadsheet); auto: as the whole column says, else s."""
    value_form: Annotated[str, Parameter(parse=False)] = ""
    """How values are written, see `told_form`; empty: as plain numbers."""

    def __post_init__(self) -> None:
        if self.time_unit not in TIME_UNITS:
            expected = ", ".join(TIME_UNITS[:-1])
            raise ConfigError(
                f"time_unit: got {self.time_unit!r}, expected {expected} or {TIME_UNITS[-1]}"
            )

    def found_in(self, names: Collection[str]) -> EventColumns:
        """Returns the columns to read in a file with these column names.

        Raises:
            ConfigError: several columns could be the same one.

        >>> found = EventColumns().found_in(["user_id", "item_id", "rating", "timestamp"])
        >>> found.user, found.constant_signal, found.value, found.occurred_at
        ('user_id', 'rating', 'rating', 'timestamp')
        """
        found = self
        for field, option in _EVENT_OPTIONS.items():
            if getattr(self, field) == field:
                column = known_column(field, names, option)
                found = found.with_fields({field: column})
        rated = any(folded(name) in _RATINGS for name in names)
        named = self.signal != "signal"
        if not found.constant_signal and not named and found.signal not in names and rated:
            found = dataclasses.replace(found, constant_signal=RATING)
        return found

    def missing_in(self, names: Collection[str]) -> dict[str, str]:
        """Returns the columns that a file must have and lacks, by field, with a way out of it.

        It must have those that were named.
        """
        missing = {}
        for field, option in _EVENT_OPTIONS.items():
            column = getattr(self, field)
            needed = field in _NEEDED and not (field == "signal" and self.has_signals)
            if column not in names and (needed or column != field):
                missing[field] = way_to(column, field, option, names)
                if field == "signal" and column == field:
                    missing[field] += ", or give every row one: --signal like"
        for column in self.attributes:
            if column not in names:
                missing["attribute"] = way_to(column, "", "--attribute-column", names)
        return missing

    @property
    def has_signals(self) -> bool:
        """Whether rows get their signals from elsewhere than a column of signals."""
        return bool(self.constant_signal or self.answer)

    def with_fields(self, columns: Mapping[str, str]) -> EventColumns:
        """Returns the columns with others for some fields, by field."""
        given: dict[str, Any] = dict(columns)
        return dataclasses.replace(self, **given)

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
            self.answer,
        )
        return name in (*fields, *self.attributes) or name.startswith(CONTEXT_PREFIX)


_ITEM_DEFAULTS = {"id": "id", "text": "text"}
_RATINGS = frozenset(map(folded, RATINGS))
_NEEDED = ("user", "item", "signal", "occurred_at")
_EVENT_OPTIONS = {
    "user": "--user-column",
    "item": "--item-column",
    "signal": "--signal-column",
    "value": "--value-column",
    "occurred_at": "--time-column",
    "event_id": "--event-id-column",
    "recommendation_id": "--map COLUMN=recommendation_id",
}
"""Option that names the column of a field; the default of each is the field's own name."""
