"""Converts rows of a table to events, column by column, and refuses the others."""

from __future__ import annotations

from operator import not_
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from penchant.domain.limits import Limits
from penchant.logs.cell_arrays import CodedTexts, times_us_of
from penchant.logs.columns import CONTEXT_PREFIX, EventColumns
from penchant.logs.event_log import EventLog, text_array
from penchant.logs.known_columns import folded
from penchant.logs.lost_ids import refuse_lost_ids, refuse_types
from penchant.logs.refusals import Refusals
from penchant.logs.row_batch import RowBatch
from penchant.logs.row_fields import (
    conversion_error,
    ids_in,
    refuse_impossible,
    refuse_impossible_times,
    required_ids,
)
from penchant.logs.usual_signals import ANSWERS, UNANSWERED, answer_of
from penchant.logs.written_values import value_of, values_of

_LIMITS = Limits()


def read_event_rows(batch: RowBatch, columns: EventColumns) -> tuple[EventLog, Refusals]:
    """Converts n rows to n events; at the positions of refused rows, the log holds anything.

    >>> columns = EventColumns(constant_signal="rating", value="stars")
    >>> row = {"user": 7, "item": 3, "stars": "5", "occurred_at": 60}
    >>> log, _ = read_event_rows(RowBatch.of_rows([row]), columns)
    >>> log[0].signal, log[0].value, log[0].occurred_at_us
    ('rating', 5.0, 60000000)
    """
    refusals, unit = Refusals(batch), columns.time_unit
    times = times_us_of(batch.cells(columns.occurred_at), unit)
    refusals.refuse(times.missing, f"occurred_at: nothing in column {columns.occurred_at!r}")
    if columns.answer:
        signal = _signals_of_answers(batch, columns.answer, refusals)
    elif columns.constant_signal:
        signal = CodedTexts.constant(columns.constant_signal, len(batch))
    else:
        signal = required_ids(batch, columns.signal, "signal", refusals)
    event_ids = ids_in(batch, columns.event_id, refusals)
    user = required_ids(batch, columns.user, "user", refusals)
    item = required_ids(batch, columns.item, "item", refusals)
    for ids, column in (
        (user, columns.user),
        (item, columns.item),
        (event_ids, columns.event_id),
    ):
        refuse_lost_ids(ids, batch, column, refusals)
    form = columns.value_form
    numbers = values_of(batch.cells(columns.value), form)
    wrong = conversion_error(batch, columns.value, lambda cell: value_of(cell, form))
    refusals.refuse(numbers.wrong, wrong)
    refuse_impossible_times(batch, times, columns.occurred_at, unit, refusals)
    recommendation_ids = ids_in(batch, columns.recommendation_id, refusals)
    refuse_types(batch, columns.recommendation_id, refusals)
    for ids, field, most_bytes in (
        (user, "user", _LIMITS.id_bytes),
        (item, "item", _LIMITS.id_bytes),
        (event_ids, "event_id", _LIMITS.event_id_bytes),
        (recommendation_ids, "recommendation_id", _LIMITS.recommendation_id_bytes),
    ):
        refuse_impossible(ids, field, most_bytes, refusals)
    log = EventLog(
        user=user,
        item=item,
        signal=signal,
        value=numbers.value,
        at_us=times.at_us,
        number=batch.number,
        recommendation_id=text_array(recommendation_ids.to_list())
        if any(recommendation_ids.distinct)
        else None,
        context=_context(batch, refusals),
        attributes=_attributes(batch, columns, refusals),
    )
    return _with_ids(log, event_ids), refusals


def _signals_of_answers(batch: RowBatch, column: str, refusals: Refusals) -> CodedTexts:
    """The signals of a column of yes and no; an empty cell answers nothing."""
    texts = ids_in(batch, column, refusals)
    yes, no = ANSWERS[folded(column)]
    answers = [answer_of(text) if text else None for text in texts.distinct]
    refusals.refuse(
        texts.where(lambda text: bool(text) and answer_of(text) is None),
        lambda at: f"signal: column {column!r} holds {texts.at(at)!r}, expected yes or no",
    )
    names = list(dict.fromkeys([yes, no, UNANSWERED]))
    words = [UNANSWERED if one is None else yes if one else no for one in answers]
    places = np.array([names.index(word) for word in words], np.int32)
    return CodedTexts(names, places[texts.code])


def write_events(log: EventLog, path: Path) -> None:
    """Writes events as Parquet, in the columns that `read_event_rows` reads; no contexts."""
    events = list(log)
    columns = {
        "user": [event.user for event in events],
        "item": [event.item for event in events],
        "signal": [event.signal for event in events],
        "value": pa.array([event.value for event in events], pa.float64()),
        "occurred_at": pa.array(
            [event.occurred_at_us for event in events], pa.timestamp("us", "UTC")
        ),
        "event_id": [event.event_id for event in events],
    }
    pq.write_table(pa.table(columns), path, compression="zstd")


def _context(batch: RowBatch, refusals: Refusals) -> dict[str, CodedTexts]:
    """Converts columns such as `context.room`, by key; an empty cell adds nothing to a context."""
    columns = sorted(name for name in batch.columns if name.startswith(CONTEXT_PREFIX))
    context = {
        name.removeprefix(CONTEXT_PREFIX): ids_in(batch, name, refusals)
        for name in columns
        if name != CONTEXT_PREFIX
    }
    for key, texts in context.items():
        refuse_impossible(texts, f"context.{key}", _LIMITS.context_bytes, refusals)
    return {key: texts for key, texts in context.items() if any(texts.distinct)}


def _attributes(
    batch: RowBatch, columns: EventColumns, refusals: Refusals
) -> dict[str, CodedTexts]:
    """Converts the columns of what is known of users, under their own names."""
    found = {name: ids_in(batch, name, refusals) for name in sorted(columns.attributes)}
    for name, texts in found.items():
        refuse_impossible(texts, name, _LIMITS.context_bytes, refusals)
    return {name: texts for name, texts in found.items() if any(texts.distinct)}


def _with_ids(log: EventLog, ids: CodedTexts) -> EventLog:
    """Adds the ids of events that have one; the others get those that the log makes."""
    if not any(ids.distinct):
        return log
    texts = ids.to_list()
    for position in np.flatnonzero(ids.where(not_)).tolist():
        texts[position] = log.event(position).event_id
    return log.with_ids(texts)
