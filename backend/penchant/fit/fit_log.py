"""Reads the log of a fit: what the options leave open is assumed, and said in sentences."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from penchant.domain.errors import ConfigError
from penchant.domain.rewards import SignalTable
from penchant.domain.types import Item
from penchant.logs.log_source import LogSource
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
    of_items, of_events = source.columns()
    assert source.events is not None
    with open_table(source.events, source.format) as table:
        names, fixed = table.names, table.every_row_has_these_columns
    if fixed and "signal" in of_events.found_in(names).missing_in(names):
        say(f"The events have no column of signals: each row counts as a {LIKE}.")
        of_events = dataclasses.replace(of_events, constant_signal=LIKE)
    if source.items is None:
        say("There is no file of items: the catalog is made of the items that events name.")
    else:
        with open_table(source.items, source.format) as table:
            names, fixed = table.names, table.every_row_has_these_columns
        found = of_items.found_in(names)
        if fixed and "text" in found.missing_in(names) and found.id in names:
            template = f"{{{found.id}}}"
            of_items = dataclasses.replace(of_items, id=found.id, text_template=template)
    return dataclasses.replace(source, item_columns=of_items, event_columns=of_events, mapped=())
