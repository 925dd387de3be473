"""Reads a log from wherever its source says: files, a server's store, or a data set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from penchant.domain.errors import ConfigError
from penchant.domain.rewards import SignalTable
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Event, Item
from penchant.launch.model_parameters import is_store
from penchant.logs.assumed_columns import with_assumed_columns
from penchant.logs.assumed_signals import assumed_signals
from penchant.logs.cells import printable
from penchant.logs.columns import RATING, EventColumns
from penchant.logs.datasets.movielens import read_movielens, users_of_movielens
from penchant.logs.datasets.movielens_1m import read_movielens_1m, users_of_movielens_1m
from penchant.logs.event_log import EventLog
from penchant.logs.item_text_templates import (
    has_texts,
    text_templates,
    usual_first,
    with_template,
)
from penchant.logs.log_source import MOVIELENS, MOVIELENS_1M, LogSource
from penchant.logs.missing_ratings import with_missing_ratings
from penchant.logs.open_table import open_table
from penchant.logs.read_table import read_events, read_items
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import parse_relevance
from penchant.logs.shipped.trimmed_log import trimmed_log
from penchant.logs.store_log import items_and_events, items_in_order
from penchant.logs.stream import Stream, make_stream
from penchant.logs.user_attributes import with_user_attributes
from penchant.store.address import directory_of, is_network
from penchant.store.open import open_store
from penchant.system.redacted_address import redacted


def read_log(
    source: LogSource,
    signals: SignalTable,
    relevant: str,
    left_out: LeftOut,
    nothing: str,
    *,
    make_texts: bool = True,
) -> Stream:
    """Reads a source's log as a stream in time order.

    Args:
        source: the files, the store or the data set.
        signals: rewards of the signals; for files the usual table is completed, see
            `assumed_signals`.
        relevant: which events count as a hit; see `parse_relevance`.
        left_out: collects the rows and events that are refused, and the assumptions.
        nothing: first words of the error for a source that names no log.
        make_texts: whether items without texts get them made of their attributes.

    Raises:
        ConfigError: the options contradict each other, a file can't be read, or no event is left.
    """
    relevance = parse_relevance(relevant)
    items, events = read_source(source, left_out, nothing)
    events = _with_attributes(source, events, left_out)
    if make_texts and source.makes_texts:
        items = _with_texts(items, left_out)
    events, signals = _signals_of(source, events, signals, left_out)
    return make_stream(items, events, signals, relevance, left_out)


def read_source(
    source: LogSource, left_out: LeftOut, nothing: str
) -> tuple[Sequence[Item], Sequence[Event]]:
    """Reads the items and the events of a source; events of files and stores are an `EventLog`.

    A file of events alone is enough: its items are those that the events name. What the options
    leave open is assumed; see `with_assumed_columns`.

    Args:
        source: the files, the store or the data set.
        left_out: collects the rows that are refused, and the assumptions.
        nothing: first words of the error for a source that names no log.

    Raises:
        ConfigError: the options contradict each other, or a file can't be read.
    """
    if source.store:
        if source.dataset or source.items or source.events:
            raise ConfigError("--store: expected neither --items, --events nor --dataset with it")
        return _read_store(source, left_out)
    if source.shipped_log:
        if source.dataset or source.events:
            raise ConfigError("--shipped: expected neither --events nor --dataset with it")
        return _read_shipped(source, left_out)
    source.shipped_log.within()  # For the error of a range without a log.
    if source.dataset:
        known = source.dataset in (MOVIELENS, MOVIELENS_1M)
        if not known or source.items or source.events:
            raise ConfigError(
                f"--dataset: got {source.dataset!r}, expected {MOVIELENS} or {MOVIELENS_1M}, and "
                "then neither --items nor --events"
            )
        if source.dataset == MOVIELENS_1M:
            return read_movielens_1m()
        data = read_movielens()
        return data.films, data.ratings
    if source.events is None:
        raise ConfigError(
            f"{nothing}: name --events FILE, and --items FILE if there is one; or --store, or "
            "--dataset movielens"
        )
    assumed = with_assumed_columns(source, source.events, left_out.assumed.append)
    item_columns, event_columns = assumed.columns()
    items: list[Item] | None = None
    if source.items is not None:
        with open_table(source.items, source.format) as table:
            items = read_items(table, item_columns, left_out)
    with open_table(source.events, source.format) as table:
        log = read_events(table, event_columns, left_out)
    return _items_named_by(log) if items is None else items, log


def _items_named_by(log: EventLog) -> list[Item]:
    named = sorted({log.item.distinct[code] for code in set(log.item.code.tolist())})
    return [Item(id_, id_) for id_ in named]


def _read_shipped(source: LogSource, left_out: LeftOut) -> tuple[Sequence[Item], Sequence[Event]]:
    """The events of a shipped log, with the items of a file or those that they name."""
    log = source.shipped_log.events(None)
    if source.items is None:
        return _items_named_by(log), log
    item_columns, _ = source.columns()
    with open_table(source.items, source.format) as table:
        return read_items(table, item_columns, left_out), log


def _with_attributes(
    source: LogSource, events: Sequence[Event], left_out: LeftOut
) -> Sequence[Event]:
    """The events with what a file of users knows of theirs."""
    if source.users is None:
        return events
    path, format_ = source.users, source.format
    if source.dataset and str(path) == source.dataset:
        path, format_ = _USERS_OF[source.dataset](), None
    log = events if isinstance(events, EventLog) else EventLog.of(events)
    return with_user_attributes(log, path, format_, left_out.assumed.append)


_USERS_OF = {MOVIELENS: users_of_movielens, MOVIELENS_1M: users_of_movielens_1m}
"""File of the users of each data set."""


def _signals_of(
    source: LogSource, events: Sequence[Event], signals: SignalTable, left_out: LeftOut
) -> tuple[Sequence[Event], SignalTable]:
    """The events and the signal table of a log: for files, the usual one is completed.

    See `with_missing_ratings` and `assumed_signals`. A table that somebody chose, and that of a
    store or a data set, stays as it is, and so do the events.
    """
    if source.store or source.dataset or source.shipped_log or signals != DEFAULT_SIGNALS:
        return events, signals
    log = events if isinstance(events, EventLog) else EventLog.of(events)
    log, missing = with_missing_ratings(log, signals)
    table, assumed = assumed_signals(log, signals)
    if table is not signals:
        left_out.odd_scale = ""  # The table has the log's own scale, and it is said.
    left_out.assumed += [*missing, *assumed, *_of_no_use(source, log, table)]
    return log, table


def _of_no_use(source: LogSource, log: EventLog, table: SignalTable) -> list[str]:
    """Says that a column of values which somebody named changes nothing."""
    _, named = source.columns()
    if named.value == EventColumns().value:
        return []
    names = [name for name in log.signal.distinct if name]
    used = any(table[name].neutral is not None for name in names if name in table)
    if used and np.isfinite(log.value).any():
        return []
    shown = ", ".join(map(printable, names[:6]))
    return [
        f"The column {printable(named.value)} is read as value and changes nothing: the signals of "
        f"the log ({shown}) take none. --signal {RATING} makes each row a {RATING} of that value."
    ]


def _with_texts(items: Sequence[Item], left_out: LeftOut) -> Sequence[Item]:
    """The items with texts of the usual template, if their ids stand in for texts."""
    if has_texts(items):
        return items
    templates = usual_first(text_templates(items))
    if not templates:
        left_out.assumed.append(
            "The items have no texts, so their ids stand in: only events tell them apart."
        )
        return items
    left_out.assumed.append(
        f"The items have no column of texts: they are made as '{templates[0]}'. --text-template "
        "says otherwise."
    )
    return with_template(items, templates[0])


def _read_store(source: LogSource, left_out: LeftOut) -> tuple[Sequence[Item], Sequence[Event]]:
    address = source.store
    if not is_network(address) and not is_store(directory_of(address)):
        raise ConfigError(
            f"--store: there is none in {redacted(address)!r}; expected lmdb:DIRECTORY of a server"
        )
    store = open_store(address, map_bytes=0)  # As large as its writer made it.
    try:
        if source.shipped_log:
            log = source.shipped_log.events(store)
            with store.snapshot() as snapshot:
                return items_in_order(snapshot), log
        source.shipped_log.within()
        elsewhere = trimmed_log(store).shipped
        if elsewhere:
            left_out.warnings.append(
                f"the store was trimmed, and its older events are in {elsewhere} alone; "
                f"--shipped {elsewhere} reads them too"
            )
        with store.snapshot() as snapshot:
            return items_and_events(snapshot)
    finally:
        store.close()
