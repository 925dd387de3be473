"""Reads the log of a fit: what the options leave open is assumed, and said in sentences."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.domain.rewards import SignalTable
from penchant.domain.types import Item
from penchant.fit.guessed_columns import (
    Sample,
    guess_event_columns,
    guess_id_column,
    sample_of,
)
from penchant.logs.columns import ItemColumns
from penchant.logs.log_source import EVENT_FIELDS, LogSource
from penchant.logs.open_table import open_table
from penchant.logs.read_log import read_source
from penchant.logs.read_table import read_events
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import parse_relevance
from penchant.logs.stream import Stream, make_stream

LIKE = "like"
"""The signal of a log that names none."""

Say = Callable[[str], None]
"""Called with what a person should know, a sentence or two at a time."""


def read_fit_log(
    source: LogSource, signals: SignalTable, relevant: str, left_out: LeftOut, say: Say
) -> Stream:
    """Reads a log as a stream in time order.

    A file of events alone is enough: its items are those that the events name. Rows without a
    signal are likes. Items without a column of texts have their id as text.

    Args:
        source: the files, the store or the data set.
        signals: rewards of the signals.
        relevant: which events count as a hit; see `parse_relevance`.
        left_out: collects the rows and events that are refused.
        say: called with each assumption.

    Raises:
        ConfigError: the options contradict each other, a file can't be read, or no event is left.
    """
    relevance = parse_relevance(relevant)
    if source.dataset or source.store:
        items, events = read_source(source, left_out, "nothing to fit to")
        return make_stream(items, events, signals, relevance, left_out)
    if source.events is None:
        raise ConfigError(
            "nothing to fit to: name --events FILE, and --items FILE if there is one; or --store, "
            "or --dataset movielens"
        )
    events_file = source.events
    source = _with_assumptions(source, say)
    if source.items is not None:
        items, events = read_source(source, left_out, "nothing to fit to")
        return make_stream(items, events, signals, relevance, left_out)
    _, columns = source.columns()
    with open_table(events_file, source.format) as table:
        log = read_events(table, columns, left_out)
    named = sorted({log.item.distinct[code] for code in set(log.item.code.tolist())})
    return make_stream([Item(id_, id_) for id_ in named], log, signals, relevance, left_out)


def _with_assumptions(source: LogSource, say: Say) -> LogSource:
    """The source with what its files leave open filled in."""
    of_items, named = source.columns()
    assert source.events is not None
    with open_table(source.events, source.format) as table:
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
        of_events = dataclasses.replace(of_events, **guessed)
    if "signal" in missing:
        say(f"The events have no column of signals: each row counts as a {LIKE}.")
        of_events = dataclasses.replace(of_events, constant_signal=LIKE)
    return dataclasses.replace(source, item_columns=of_items, event_columns=of_events, mapped=())


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
