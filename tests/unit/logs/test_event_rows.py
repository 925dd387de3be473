"""Rows to events: fields, ids, contexts, and the reason of every row that is no event."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from penchant.domain.errors import ConfigError
from penchant.domain.types import Event
from penchant.logs.columns import EventColumns
from penchant.logs.event_log import event_id_of
from penchant.logs.event_rows import read_event_rows
from penchant.logs.row_batch import RowBatch, UnreadableRow

EVENT = {"user": "u", "item": "i", "signal": "like", "occurred_at": 10}


def event_of(values: dict[str, Any], number: int = 1) -> Event:
    log, refusals = read_event_rows(RowBatch.of_rows([values], np.array([number])), EventColumns())
    assert refusals.reasons == {}
    return log[0]


def refusals_of(*rows: dict[str, Any]) -> dict[int, str]:
    return read_event_rows(RowBatch.of_rows(rows), EventColumns())[1].reasons


def test_columns_of_context_make_the_events_context_and_its_id() -> None:
    plain = event_of({**EVENT, "context.room": None, "context.device": " "})
    placed = event_of({**EVENT, "context.room": "hall", "context.device": "tv"})
    assert plain == event_of(EVENT)
    assert placed.context == (("device", "tv"), ("room", "hall"))
    assert placed.event_id != plain.event_id


def test_an_event_keeps_its_own_id() -> None:
    event = event_of({**EVENT, "event_id": 7, "recommendation_id": "r"})
    assert (event.event_id, event.recommendation_id, event.value) == ("7", "r", None)


def test_an_event_without_an_id_gets_the_same_one_each_time() -> None:
    event, again = event_of(EVENT, 3), event_of(EVENT, 3)
    assert event == again
    assert event.event_id != event_of(EVENT, 4).event_id
    changed = dataclasses.replace(event, value=2.0)
    assert event_id_of(changed, 3) != event.event_id


def test_events_with_and_without_ids_share_a_file() -> None:
    rows = [{**EVENT, "event_id": "own"}, {**EVENT, "event_id": None}, EVENT]
    log, _ = read_event_rows(RowBatch.of_rows(rows), EventColumns())
    assert [event.event_id for event in log] == [
        "own", event_of(EVENT, 2).event_id, event_of(EVENT, 3).event_id
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"user": None}, "user: column 'user' is empty"),
        ({"occurred_at": ""}, "occurred_at: nothing in column 'occurred_at'"),
        ({"value": "many"}, "value: got 'many'"),
        ({"item": "\ud800"}, "surrogate"),
        ({"user": " "}, "user: column 'user' is empty"),
        ({"value": float("inf")}, "value: got inf, expected a finite number"),
        ({"occurred_at": float("nan")}, "occurred_at: nothing in column 'occurred_at'"),
        ({"occurred_at": "soon"}, "occurred_at: got 'soon', expected ISO 8601"),
        ({"occurred_at": 10**17}, "which is no time in the unit 's'"),
        ({"context.room": "\ud800"}, "column 'context.room' holds half a surrogate pair"),
        ({"event_id": b"\xff"}, "got bytes that are not UTF-8, expected text"),
    ],
)
def test_a_bad_event_says_what_is_wrong(change: dict[str, Any], reason: str) -> None:
    refusals = refusals_of(EVENT, {**EVENT, **change}, EVENT)
    assert list(refusals) == [1]
    assert reason in refusals[1]


def test_the_first_of_several_reasons_counts() -> None:
    refusals = refusals_of({"signal": "like"}, {**EVENT, "user": "", "value": "x"})
    assert refusals == {
        0: "occurred_at: nothing in column 'occurred_at'",
        1: "user: column 'user' is empty",
    }


def test_an_unreadable_row_is_refused_with_its_reason() -> None:
    batch = RowBatch.of_rows([EVENT, {}], unreadable={1: UnreadableRow("not UTF-8")})
    _, refusals = read_event_rows(batch, EventColumns())
    assert refusals.reasons == {1: "not UTF-8"}
    assert refusals.mask.tolist() == [False, True]


def test_an_unknown_time_unit_is_refused() -> None:
    with pytest.raises(ConfigError, match="time_unit"):
        EventColumns(time_unit="fortnight")
