"""Values of events as people write them: `1,5`, `4/5`, `★★★`.

A decimal comma and a separator of thousands look alike, so the form is one of the whole column.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import numpy as np

from penchant.logs.cell_arrays import ParsedNumbers, numbers_of, texts_of
from penchant.logs.cells import BadRow, number_of, quoted, text_of
from penchant.logs.row_batch import Cells

COMMA, STARS, SHARE = "comma", "stars", "share"
"""Forms: a decimal comma; as many stars as the value; the value of a largest one, as in 4/5."""

_COMMA = re.compile(r"[+-]?\d+(,\d+)?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3},\d{3}")
_STARS = re.compile(r"[★⭐☆\ufe0f]*[★⭐☆][★⭐☆\ufe0f]*")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*/\s*(\d+)")


def told_form(texts: Collection[str]) -> str:
    """The form of a column's values, of which some are no numbers; empty: it can't be told.

    >>> told_form(["1,5", "3"]), told_form(["1,500"]), told_form(["4/5", "1/5"]), told_form(["★"])
    ('comma', '', 'share', 'stars')
    """
    if all(map(_STARS.fullmatch, texts)):
        return STARS
    shares = [_SHARE.fullmatch(text) for text in texts]
    if all(shares) and len({found[2] for found in shares if found}) == 1:
        return SHARE
    commas = [text for text in texts if "," in text]
    if all(map(_COMMA.fullmatch, texts)) and not all(map(_THOUSANDS.fullmatch, commas)):
        return COMMA
    return ""


def value_of(cell: Any, form: str) -> float | None:
    """Converts a cell to a number as `number_of` does, in a form.

    Raises:
        BadRow: the cell is no number of that form.

    >>> value_of("1,5", "comma"), value_of("★★☆", "stars"), value_of("4/5", "share")
    (1.5, 2.0, 4.0)
    """
    text = text_of(cell).strip() if form else ""
    if not text:
        return number_of(cell)
    if form == COMMA and _COMMA.fullmatch(text):
        return number_of(text.replace(",", "."))
    if form == STARS and _STARS.fullmatch(text):
        return float(text.count("★") + text.count("⭐"))
    if form == SHARE and (found := _SHARE.fullmatch(text)):
        return float(found[1])
    raise BadRow(f"value: got {quoted(cell)}, expected one as in the other rows")


def values_of(cells: Cells, form: str) -> ParsedNumbers:
    """Converts cells to numbers as `value_of` does."""
    if not form:
        return numbers_of(cells)
    texts = texts_of(cells, strip=True)
    value = np.full(len(texts.distinct), np.nan)
    wrong = np.zeros(len(texts.distinct), np.bool_)
    for place, text in enumerate(texts.distinct):
        try:
            found = value_of(text, form)
        except BadRow:
            wrong[place] = True
        else:
            value[place] = np.nan if found is None else found
    missing = np.array([not text for text in texts.distinct], np.bool_)
    return ParsedNumbers(value[texts.code], missing[texts.code], wrong[texts.code])
