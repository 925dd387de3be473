"""Items that a file holds twice are said, and what counts with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.types import Item
from penchant.logs import odd_items
from penchant.logs.columns import ItemColumns
from penchant.logs.odd_items import OddItems
from penchant.logs.open_table import open_table
from penchant.logs.read_table import read_items
from penchant.logs.refusals import LeftOut
from penchant.logs.row_batch import RowBatch


def warnings(items: Sequence[Item], at_once: int = 1000) -> list[str]:
    odd = OddItems()
    rows = RowBatch.of_rows([{"id": item.id} for item in items])
    for first in range(0, len(items), at_once):
        part = slice(first, first + at_once)
        batch = RowBatch(rows.number[part], rows.number[part], {})
        odd.add(batch, items[part])
    return odd.warnings


@given(
    st.lists(
        st.builds(Item, st.sampled_from("abcdefgh"), st.sampled_from(["one text", "another"]))
    ),
    st.integers(1, 5),
)
def test_it_warns_of_an_id_exactly_where_one_stands_twice(items: list[Item], at_once: int) -> None:
    ids = [item.id for item in items]
    said = warnings(items, at_once)
    assert bool(said) == (len(set(ids)) < len(ids))
    if said:
        again = next(place for place, id_ in enumerate(ids) if id_ in ids[:place])
        before = max(place for place in range(again) if ids[place] == ids[again])
        assert f"the first is {ids[again]!r}, in line {before + 1} and line {again + 1}" in said[0]
        repeated = {id_ for id_ in ids if ids.count(id_) > 1}
        differ = {id_ for id_ in repeated if len({one.text for one in items if one.id == id_}) > 1}
        assert said[0].startswith(f"{len(repeated)} id")
        assert f"({len(differ)} of them with different contents)" in said[0]


@pytest.mark.parametrize("other", ["ab", "A B", "\uff21b", "A\u00a0b"])
def test_ids_that_are_written_alike_are_said_where_the_content_is_one(other: str) -> None:
    (said,) = warnings([Item("Ab", "a tent"), Item(other, "a tent")])
    assert said.startswith("1 pair of items has one content")
    assert f"'Ab' in line 1 and {other!r} in line 2" in said
    assert warnings([Item("Ab", "a tent"), Item(other, "a rope")]) == []


def test_its_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(odd_items, "MOST_COMPARED", 2)
    assert warnings([Item(id_, "") for id_ in "abab"], at_once=2) == []


def test_whoever_reads_items_hears_of_it_and_the_last_row_counts(tmp_path: Path) -> None:
    path, left_out = tmp_path / "items.jsonl", LeftOut()
    rows = [{"id": 1, "text": "old"}, {"id": 2, "text": "x"}, {"id": " 1 ", "text": "new"}]
    path.write_text("\n".join(map(json.dumps, rows)))
    with open_table(path) as table:
        assert {item.id: item.text for item in read_items(table, ItemColumns(), left_out)} == {
            "1": "new",
            "2": "x",
        }
    assert "'1', in line 1 and line 3" in left_out.warnings[0]
