"""Converts rows of a table to items, column by column, and refuses the others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from penchant.domain.errors import PenchantError
from penchant.domain.limits import Limits, check_item
from penchant.domain.types import Item
from penchant.logs.cell_arrays import CodedTexts, texts_of
from penchant.logs.columns import PLACE_OF_TEMPLATE, ItemColumns
from penchant.logs.lost_ids import refuse_lost_ids
from penchant.logs.refusals import Refusals
from penchant.logs.row_batch import RowBatch
from penchant.logs.row_fields import ids_in, refuse_not_text, required_ids

_LIMITS = Limits()
_TEXTLESS = "items without a text, whose ids stand in"


def read_item_rows(batch: RowBatch, columns: ItemColumns) -> tuple[list[Item | None], Refusals]:
    """Converts n rows to n items; None for a refused row.

    >>> columns = ItemColumns(text_template="{title} ({year})")
    >>> row = {"id": 7, "title": "Heat", "year": 1995}
    >>> items, _ = read_item_rows(RowBatch.of_rows([row]), columns)
    >>> items[0]
    Item(id='7', text='Heat (1995)', attributes={'title': 'Heat', 'year': '1995'})
    """
    refusals = Refusals(batch)
    ids = required_ids(batch, columns.id, "id", refusals)
    refuse_lost_ids(ids, batch, columns.id, refusals)
    cells = {name: texts_of(found) for name, found in batch.columns.items()}
    if columns.text_template:
        texts = _filled(batch, columns.text_template, cells, refusals)
    else:
        texts = ids_in(batch, columns.text, refusals).to_list()
    taken = {columns.id} if columns.text_template else {columns.id, columns.text}
    attributes = {name: column for name, column in cells.items() if name not in taken}
    for name, column in attributes.items():
        refuse_not_text(column, name, refusals)
    short = {name: _without_long(name, column, refusals) for name, column in attributes.items()}
    items: list[Item | None] = [None] * len(batch)
    for position in np.flatnonzero(~refusals.mask).tolist():
        held = ((name, column.at(position)) for name, column in short.items())
        made = texts[position]
        text = _cut(made, refusals) if columns.text_template else made
        if not text:  # Left out, the item would take its events along.
            text = ids.at(position)
            refusals.changed[_TEXTLESS] += 1
        item = Item(ids.at(position), text, {name: text for name, text in held if text})
        reason = _refusal_of(item)
        if reason:
            refusals.refuse_each({position: reason})
        else:
            items[position] = item
    return items, refusals


def fill_template(template: str, values: Mapping[str, str]) -> str:
    """Puts values in the places of a template.

    Raises:
        KeyError: the template names a value that is not there.

    >>> fill_template("{title} ({year})", {"title": "Heat", "year": "1995"})
    'Heat (1995)'
    """
    return PLACE_OF_TEMPLATE.sub(lambda place: values[place[1]], template).strip()


def _filled(
    batch: RowBatch, template: str, cells: Mapping[str, CodedTexts], refusals: Refusals
) -> list[str]:
    names = PLACE_OF_TEMPLATE.findall(template)
    for name in names:
        refusals.refuse(
            batch.absent(name), f"text: the template names {name!r}, which the row does not have"
        )
        if name in cells:
            refuse_not_text(cells[name], name, refusals)
    columns = [cells[name].to_list() if name in cells else [""] * len(batch) for name in names]
    rows = zip(*columns, strict=True) if columns else [()] * len(batch)
    return [fill_template(template, dict(zip(names, row, strict=True))) for row in rows]


def _without_long(name: str, column: CodedTexts, refusals: Refusals) -> CodedTexts:
    """Empties attributes that are longer than a server takes; counts them."""
    most = _LIMITS.attribute_bytes
    long = {text for text in column.distinct if len(text) * 4 > most and _size(text) > most}
    if not long:
        return column
    count = int((column.where(long.__contains__) & ~refusals.mask).sum())
    if count:
        what = f"attribute {name!r} of more than {most:,} bytes left out"
        refusals.changed[what] += count
    return CodedTexts(["" if text in long else text for text in column.distinct], column.code)


def _cut(text: str, refusals: Refusals) -> str:
    """Cuts a text of a template to what a server takes; an encoder reads its beginning anyway."""
    most = _LIMITS.text_bytes
    if len(text) * 4 <= most or _size(text) <= most:
        return text
    refusals.changed[f"text cut to {most:,} bytes"] += 1
    return text.encode("utf-8", "surrogatepass")[:most].decode("utf-8", "ignore")


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _refusal_of(item: Item) -> str:
    """Why a server would refuse an item, and the whole call with it; empty: it would not."""
    try:
        check_item("item", item, _LIMITS)
    except PenchantError as error:
        return str(error)
    except UnicodeEncodeError:
        return "half a surrogate pair, expected Unicode text"
    return ""
