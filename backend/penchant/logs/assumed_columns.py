"""Fills in the columns that options and headings leave open, and says so in sentences."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.logs.cells import printable
from penchant.logs.column_looks import look_at
from penchant.logs.columns import EventColumns, ItemColumns
from penchant.logs.found_columns import what_is_missing
from penchant.logs.guessed_columns import Looks, guess_event_columns, guess_id_column
from penchant.logs.guessed_signals import unread_values, with_guessed_signals
from penchant.logs.known_columns import is_attribute
from penchant.logs.log_source import EVENT_FIELDS, LogSource
from penchant.logs.open_table import open_table

Say = Callable[[str], None]
"""Called with what a person should know, a sentence or two at a time."""

_GUESSED = ("user", "item", "occurred_at")


def with_assumed_columns(source: LogSource, events_file: Path, say: Say) -> LogSource:
    """Returns the source with the columns that its files leave open filled in.

    Rows without a signal are likes. Items without a column of texts have their id as text.

    Args:
        source: names the files and their columns.
        events_file: the source's file of events.
        say: called with each assumption.

    Raises:
        ConfigError: a file can't be read, several columns could be the same one, or none can be
            told; what is missing in both files is said at once.
    """
    of_items, named = source.columns()
    lacking: list[str] = []
    with open_table(events_file, source.format) as table:
        *_, names = table.names_so_far()
        of_events = named.found_in(names)
        missing = of_events.missing_in(names)
        # A column that somebody named is not guessed: it is said that it is not there.
        open_ = [one for one in _GUESSED if one in missing and getattr(named, one) == one]
        items = None if source.items is None else _Items(source.items, source.format, of_items)
        whole = bool(open_) or (items is not None and items.lacks_id)
        looks = look_at(table, batches=None if whole else 1)
        ids, id_name = (set[str](), "") if items is None else items.found(looks, "item" in open_)
        known = [getattr(of_events, field) for field in EVENT_FIELDS]
        taken = [name for name in known if name in names]
        guess = guess_event_columns(looks, open_, taken, ids, id_name)
        of_events = of_events.with_fields(guess.columns)
        missing = {**of_events.missing_in(names), **guess.questions}
        if named.signal == "signal":
            missing.pop("signal", None)  # Which is assumed.
        if missing:
            lacking.append(what_is_missing(table, names, missing))
    if items is None:
        say("There is no file of items: the catalog is made of the items that events name.")
    else:
        of_items, missing_of_items = items.columns(say)
        lacking += [missing_of_items] if missing_of_items else []
    if lacking:
        raise ConfigError("file: " + "; and ".join(lacking))
    if guess.columns:
        listed = _listed(dict(sorted(guess.columns.items())))
        say(
            f"Told by their names and what stands in them: {listed}. --map COLUMN=FIELD says "
            "otherwise."
        )
    attributes = _attributes(of_events, names)
    if attributes and not of_events.attributes:
        say(
            f"Read as what is known of users: {', '.join(attributes)}. --attribute-column says "
            "otherwise."
        )
        of_events = dataclasses.replace(of_events, attributes=attributes)
    of_events = with_guessed_signals(of_events, named, names, looks, say)
    if unread := unread_values(of_events, looks):
        say(unread)
    return dataclasses.replace(source, item_columns=of_items, event_columns=of_events, mapped=())


def _attributes(columns: EventColumns, names: Collection[str]) -> tuple[str, ...]:
    """The columns that by their names hold what is known of users, and no field."""
    return tuple(name for name in names if is_attribute(name) and not columns.reads(name))


class _Items:
    """The columns of a file of items."""

    def __init__(self, path: Path, format_: str | None, named: ItemColumns) -> None:
        """Reads the heading."""
        self._path, self._format, self._named = path, format_, named
        with open_table(path, format_) as table:
            *_, self._names = table.names_so_far()
        self._found = named.found_in(self._names)
        self._guessed = False

    @property
    def lacks_id(self) -> bool:
        """Whether the column of ids is to be guessed."""
        missing = self._found.missing_in(self._names)
        return "id" in missing and self._named.id == ItemColumns().id

    def found(self, events: Looks, ids_wanted: bool) -> tuple[set[str], str]:
        """Guesses the column of ids if need be; returns the ids if they are wanted, and it."""
        looks: Looks = {}
        if self.lacks_id or ids_wanted:
            unknown = self.lacks_id
            with open_table(self._path, self._format) as table:
                looks = look_at(table, lambda name: unknown or name == self._found.id)
        if self.lacks_id and (column := guess_id_column(looks, events)):
            self._found = dataclasses.replace(self._found, id=column)
            self._guessed = True
        look = looks.get(self._found.id)
        return set(look.counts) if look else set(), self._found.id

    def columns(self, say: Say) -> tuple[ItemColumns, str]:
        """The columns, and what is missing in words; empty: nothing."""
        found, plain = self._found, ItemColumns()
        missing = found.missing_in(self._names)
        if self._guessed:
            say(f"The id of an item is the column {found.id}, to which the events point.")
        named = self._named
        textless = "text" in missing and named.text == plain.text and not named.text_template
        if textless:
            missing.pop("text")
        if textless and found.id in self._names:
            found = dataclasses.replace(found, text_template=f"{{{found.id}}}")
        if not missing:
            return found, ""
        with open_table(self._path, self._format) as table:
            return found, what_is_missing(table, self._names, missing)


def _listed(columns: Mapping[str, str]) -> str:
    """Columns by field, in words.

    >>> _listed({"user": "wer", "occurred_at": "wann"})
    'user is the column wer, occurred_at is the column wann'
    """
    return ", ".join(
        f"{field} is the column {printable(column)}" for field, column in columns.items()
    )
