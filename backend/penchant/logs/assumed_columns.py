"""Fills in the columns that options and headings leave open, and says so in sentences."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from penchant.logs.columns import EventColumns, ItemColumns
from penchant.logs.guessed_columns import (
    Sample,
    guess_event_columns,
    guess_id_column,
    sample_of,
)
from penchant.logs.known_columns import is_attribute
from penchant.logs.log_source import EVENT_FIELDS, LogSource
from penchant.logs.open_table import open_table

LIKE = "like"
"""The signal of a log that names none."""

Say = Callable[[str], None]
"""Called with what a person should know, a sentence or two at a time."""


def with_assumed_columns(source: LogSource, events_file: Path, say: Say) -> LogSource:
    """Returns the source with the columns that its files leave open filled in.

    Rows without a signal are likes. Items without a column of texts have their id as text.

    Args:
        source: names the files and their columns.
        events_file: the source's file of events.
        say: called with each assumption.

    Raises:
        ConfigError: a file can't be read, or several columns could be the same one.
    """
    of_items, named = source.columns()
    with open_table(events_file, source.format) as table:
        *_, names = table.names_so_far()
        events = sample_of(table)
    of_events = named.found_in(names)
    if source.items is None:
        ids: set[str] = set()
        say("There is no file of items: the catalog is made of the items that events name.")
    else:
        of_items, ids = _item_columns(source.items, source.format, of_items, events, say)
    # A column that somebody named is not guessed: reading the file says that it is not there.
    missing = [one for one in of_events.missing_in(names) if getattr(named, one) == one]
    known = [getattr(of_events, field) for field in EVENT_FIELDS]
    guessed = guess_event_columns(events, missing, [name for name in known if name in names], ids)
    if guessed:
        say(f"Told by what stands in them: {_listed(guessed)}. --map COLUMN=FIELD says otherwise.")
        of_events = of_events.with_fields(guessed)
    if "signal" in missing:
        say(f"The events have no column of signals: each row counts as a {LIKE}.")
        of_events = dataclasses.replace(of_events, constant_signal=LIKE)
    attributes = _attributes(of_events, names)
    if attributes and not of_events.attributes:
        say(
            f"Read as what is known of users: {', '.join(attributes)}. --attribute-column says "
            "otherwise."
        )
        of_events = dataclasses.replace(of_events, attributes=attributes)
    return dataclasses.replace(source, item_columns=of_items, event_columns=of_events, mapped=())


def _attributes(columns: EventColumns, names: Collection[str]) -> tuple[str, ...]:
    """The columns that by their names hold what is known of users, and no field."""
    return tuple(name for name in names if is_attribute(name) and not columns.reads(name))


def _item_columns(
    path: Path, format_: str | None, named: ItemColumns, events: Sample, say: Say
) -> tuple[ItemColumns, set[str]]:
    """The columns of a file of items, and the ids in its first rows."""
    with open_table(path, format_) as table:
        *_, names = table.names_so_far()
        items = sample_of(table)
    found, plain = named.found_in(names), ItemColumns()
    missing = found.missing_in(names)
    if "id" in missing and named.id == plain.id and (column := guess_id_column(items, events)):
        say(f"The id of an item is the column {column}, to which the events point.")
        found = dataclasses.replace(found, id=column)
    textless = "text" in missing and named.text == plain.text and not named.text_template
    if textless and found.id in names:
        found = dataclasses.replace(found, text_template=f"{{{found.id}}}")
    return found, set(items.get(found.id, ()))


def _listed(columns: Mapping[str, str]) -> str:
    """Columns by field, in words.

    >>> _listed({"user": "wer", "occurred_at": "wann"})
    'user is the column wer, occurred_at is the column wann'
    """
    return ", ".join(f"{field} is the column {column}" for field, column in columns.items())
