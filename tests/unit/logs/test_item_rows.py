"""Rows to items: fields, attributes, templates, and the items that a server would refuse."""

from __future__ import annotations

from typing import Any

import pytest

from penchant.domain.types import Item
from penchant.logs.columns import ItemColumns
from penchant.logs.item_rows import read_item_rows
from penchant.logs.row_batch import RowBatch


def item_of(columns: ItemColumns, **values: Any) -> Item:
    (item,), refusals = read_item_rows(RowBatch.of_rows([values]), columns)
    assert refusals.reasons == {}
    assert item is not None
    return item


def refusal_of(columns: ItemColumns, **values: Any) -> str:
    (item,), refusals = read_item_rows(RowBatch.of_rows([values]), columns)
    assert item is None
    return refusals.reasons[0]


def test_columns_that_hold_neither_id_nor_text_become_attributes() -> None:
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
        ({"id": "1" * 300, "text": "x"}, "item.id: got 300 bytes"),
        ({"id": "1", "text": "x" * 9000}, "9000 bytes"),
        ({"id": "1", "text": "\ud800"}, "surrogate"),
        ({"id": "1", "text": "x", "y": "\ud800"}, "surrogate"),
        ({"id": "1", "text": "x", "y": b"\xff"}, "bytes that are not UTF-8"),
    ],
)
def test_an_item_that_a_server_would_refuse_is_refused_here(
    values: dict[str, Any], reason: str
) -> None:
    assert reason in refusal_of(ItemColumns(), **values)


def test_a_template_with_a_column_that_the_row_lacks_is_refused() -> None:
    reason = refusal_of(ItemColumns(text_template="{title} {year}"), id="1", title="Heat")
    assert reason == "text: the template names 'year', which the row does not have"


def test_a_refused_row_leaves_the_others_alone() -> None:
    rows = [{"id": "1", "text": "one"}, {"id": "", "text": "two"}, {"id": "3", "text": "three"}]
    items, refusals = read_item_rows(RowBatch.of_rows(rows), ItemColumns())
    assert [item and item.id for item in items] == ["1", None, "3"]
    assert list(refusals.reasons) == [1]


def test_an_item_with_an_empty_text_stays_with_its_id_and_is_counted() -> None:
    texts = {"1": "one", "2": " ", "3": None}
    rows: list[dict[str, Any]] = [{"id": id_, "text": text} for id_, text in texts.items()]
    items, refusals = read_item_rows(RowBatch.of_rows([*rows, {"id": "4"}]), ItemColumns())
    assert [item and item.text for item in items] == ["one", "2", "3", "4"]
    assert refusals.changed == {"items without a text, whose ids stand in": 3}
    columns = ItemColumns(text_template="{title}")
    items, refusals = read_item_rows(RowBatch.of_rows([{"id": "1", "title": ""}]), columns)
    assert [item and item.text for item in items] == ["1"]
