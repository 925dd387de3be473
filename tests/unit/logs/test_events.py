"""Rows to items and events."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from penchant.domain.errors import ConfigError
from penchant.logs.events import EventColumns, ItemColumns, event_id_of
from penchant.logs.tables.cells import BadRow
from penchant.logs.tables.files import Row

EVENT = {"user": "u", "item": "i", "signal": "like", "occurred_at": 10}


def item_of(columns: ItemColumns, **values: Any) -> Any:
    return columns.read(Row(1, values))


def test_what_is_neither_id_nor_text_becomes_an_attribute() -> None:
    item = item_of(ItemColumns(), id=1, text="Heat", year=1995.0, tags=["a"], none=None, empty="")
    assert item.id == "1"
    assert item.attributes == {"year": "1995", "tags": '["a"]'}


def test_a_template_makes_the_text_and_leaves_its_columns() -> None:
    columns = ItemColumns(text_template="{title} ({year}). {a b}")
    item = item_of(columns, id="1", title="Heat", year=1995, **{"a b": "Crime"})
    assert item.text == "Heat (1995). Crime"
    assert item.attributes["title"] == "Heat"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"text": "x"}, "id: column 'id' is not there"),
        ({"id": " ", "text": "x"}, "id: column 'id' is empty"),
        ({"id": "1", "text": None}, "text: column 'text' is empty"),
        ({"id": "1" * 300, "text": "x"}, "item.id: got 300 bytes"),
        ({"id": "1", "text": "x" * 9000}, "9000 bytes"),
        ({"id": "1", "text": "\ud800"}, "surrogate"),
        ({"id": "1", "text": "x", "y": "\ud800"}, "surrogate"),
    ],
)
def test_an_item_that_a_server_would_refuse_is_refused_here(
    values: dict[str, Any], reason: str
) -> None:
    with pytest.raises(BadRow, match=reason):
        item_of(ItemColumns(), **values)


def test_a_template_names_a_column_that_is_missing() -> None:
    with pytest.raises(BadRow, match="'year'"):
        item_of(ItemColumns(text_template="{title} {year}"), id="1", title="Heat")


def test_columns_of_context_make_the_events_context_and_its_id() -> None:
    plain = EventColumns().read(Row(1, {**EVENT, "context.room": None, "context.device": " "}))
    told = EventColumns().read(Row(1, {**EVENT, "context.room": "hall", "context.device": "tv"}))
    assert plain == EventColumns().read(Row(1, EVENT))
    assert told.context == (("device", "tv"), ("room", "hall"))
    assert told.event_id != plain.event_id


def test_an_event_keeps_its_own_id() -> None:
    event = EventColumns().read(Row(1, {**EVENT, "event_id": 7, "recommendation_id": "r"}))
    assert (event.event_id, event.recommendation_id, event.value) == ("7", "r", None)


def test_an_event_without_an_id_gets_the_same_one_each_time() -> None:
    columns = EventColumns()
    event, again = columns.read(Row(3, EVENT)), columns.read(Row(3, EVENT))
    assert event == again
    assert event.event_id != columns.read(Row(4, EVENT)).event_id
    changed = dataclasses.replace(event, value=2.0)
    assert event_id_of(changed, 3) != event.event_id


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"user": None}, "user: column 'user' is empty"),
        ({"occurred_at": ""}, "occurred_at: nothing in column 'occurred_at'"),
        ({"value": "many"}, "value: got 'many'"),
        ({"item": "\ud800"}, "surrogate"),
    ],
)
def test_a_bad_event_says_what_is_wrong(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadRow, match=reason):
        EventColumns().read(Row(1, {**EVENT, **change}))


def test_an_unreadable_row_is_refused_with_its_fault() -> None:
    for columns in (EventColumns(), ItemColumns()):
        with pytest.raises(BadRow, match="not UTF-8"):
            columns.read(Row(1, EVENT, "not UTF-8"))


def test_an_unknown_time_unit_is_refused() -> None:
    with pytest.raises(ConfigError, match="time_unit"):
        EventColumns(time_unit="fortnight")
