"""The options that name a log, shared by every command that reads one."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from penchant.domain.errors import ConfigError
from penchant.logs.columns import COLUMNS_GROUP, EventColumns, ItemColumns
from penchant.logs.relevance import POSITIVE
from penchant.logs.shipped.shipped_source import ShippedSource
from penchant.system.option_types import FLAT

MOVIELENS, MOVIELENS_1M, GOOD_RATING = "movielens", "movielens-1m", "rating>=4"
"""Names of the data sets, and their default term of relevance."""


@dataclass(frozen=True, slots=True)
class LogSource:
    """Items and events in two files, in a server's store, or in a data set."""

    items: Path | None = None
    """File of items."""
    events: Path | None = None
    """File of events."""
    dataset: str = ""
    """Data set to use instead of the two files: movielens (100,000 ratings) or movielens-1m."""
    store: str = ""
    """Store of a server to read instead of files: lmdb:DIRECTORY or valkey://…/NAMESPACE."""
    users: Path | None = None
    """File of users with a row of attributes each, such as country and age band; or the name of
    the data set, for those that come with it."""
    item_columns: Annotated[ItemColumns, FLAT] = ItemColumns()
    event_columns: Annotated[EventColumns, FLAT] = EventColumns()
    mapped: Annotated[
        tuple[str, ...],
        Parameter(
            name="--map",
            metavar="COLUMN=FIELD",
            show_default=False,
            negative=(),
            group=COLUMNS_GROUP,
        ),
    ] = ()
    """Take a field of items or events from this column; repeatable."""
    format: Annotated[str | None, Parameter(metavar="NAME", group=COLUMNS_GROUP)] = None
    """Format of the files: csv, tsv, jsonl or parquet; by default, as content or names say."""
    shipped_log: Annotated[ShippedSource, FLAT] = ShippedSource()

    @property
    def default_relevance(self) -> str:
        """The term of relevance unless the user names another."""
        return GOOD_RATING if self.dataset else POSITIVE

    @property
    def makes_texts(self) -> bool:
        """Whether texts may be made of attributes: the user, data set or store has none ready."""
        return not (self.item_columns.text_template or self.dataset or self.store)

    @property
    def files(self) -> tuple[Path | None, ...]:
        """The files that it names; None for one that it does not."""
        return self.items, self.events, self.users

    def columns(self) -> tuple[ItemColumns, EventColumns]:
        """Returns the columns of items and of events, with `--map` applied.

        Raises:
            ConfigError: an entry of `--map` is not COLUMN=FIELD, or names no field.
        """
        of_items, of_events = self.item_columns, self.event_columns
        for field, column in mapped_fields(self.mapped, (*ITEM_FIELDS, *EVENT_FIELDS)).items():
            if field in ITEM_FIELDS:
                of_items = dataclasses.replace(of_items, **{field: column})
            else:
                of_events = of_events.with_fields({field: column})
        return of_items, of_events


ITEM_FIELDS = ("id", "text")
EVENT_FIELDS = ("user", "item", "signal", "value", "occurred_at", "event_id", "recommendation_id")
assert set(ITEM_FIELDS) <= {field.name for field in fields(ItemColumns)}
assert set(EVENT_FIELDS) <= {field.name for field in fields(EventColumns)}


def mapped_fields(entries: tuple[str, ...], known: tuple[str, ...]) -> dict[str, str]:
    """Returns columns by field, from entries COLUMN=FIELD.

    Raises:
        ConfigError: an entry has another form, its field is not among `known`, or a field has two.

    >>> mapped_fields(("movieId=item",), EVENT_FIELDS)
    {'item': 'movieId'}
    """
    columns: dict[str, str] = {}
    for entry in entries:
        column, equals, field = entry.rpartition("=")
        if not equals or not column or field not in known:
            raise ConfigError(
                f"--map: got {entry!r}, expected COLUMN=FIELD with one of the fields "
                f"{', '.join(known)}"
            )
        if columns.setdefault(field, column) != column:
            raise ConfigError(
                f"--map: got the columns {columns[field]!r} and {column!r} for {field}, expected "
                "one of them"
            )
    return columns
