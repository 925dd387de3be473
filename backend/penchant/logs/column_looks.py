"""What stands in the columns of a table: how many distinct values, and of which kind."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from penchant.logs.cell_arrays import texts_of
from penchant.logs.cells import is_separated_number
from penchant.logs.row_batch import BATCH_ROWS, RowBatch
from penchant.logs.table_file import ColumnFilter, TableFile
from penchant.logs.usual_signals import answer_of

MOST_DISTINCT = 1 << 18
"""Distinct values of a column that are told apart; a column with more of them is one of ids."""

SAMPLE = 5000
"""Texts of a column that are kept."""

_NEARLY_ALL = 0.95
_LONGEST_ID = 64
"""Characters of an id on average, at most; what is longer is prose."""


@dataclass(slots=True)
class ColumnLook:
    """The cells of one column that are not empty."""

    rows: int = 0
    """Rows that were looked at, those with an empty cell too."""
    counts: Counter[str] = field(default_factory=Counter)
    """Cells by their text."""
    sample: list[str] = field(default_factory=list)
    """The first texts, in the order of the file."""

    @property
    def filled(self) -> int:
        """Cells that hold something."""
        return self.counts.total()

    @property
    def distinct(self) -> int:
        """Distinct texts; no more than `MOST_DISTINCT` are told apart."""
        return len(self.counts)

    @property
    def mean_events(self) -> float:
        """Cells of the mean text."""
        return self.filled / max(1, self.distinct)

    @property
    def is_sparse(self) -> bool:
        """Whether a tenth of the cells or more are empty."""
        return self.filled < 0.9 * self.rows

    @property
    def numbers(self) -> list[float]:
        """The sample's values, if nearly all are numbers; else nothing."""
        values = [value for value in map(_number, self.sample) if value is not None]
        return values if values and len(values) >= _NEARLY_ALL * len(self.sample) else []

    @property
    def has_decimals(self) -> bool:
        """Whether it holds amounts: numbers of which some are not whole."""
        values = self.numbers
        return any(not value.is_integer() for value in values)

    @property
    def are_words(self) -> bool:
        """Whether it holds few values, each of which begins with a letter."""
        few = 0 < self.distinct <= _MOST_WORDS and self.mean_events >= _LEAST_OF_A_WORD
        return few and all(text[0].isalpha() for text in self.counts)

    @property
    def are_booleans(self) -> bool:
        """Whether it holds nothing but yes and no, in words."""
        words = (not text.isdigit() and answer_of(text) is not None for text in self.counts)
        return self.distinct > 0 and all(words)

    @property
    def could_be_ids(self) -> bool:
        """Whether its values may name something: short, and neither amounts nor all the same."""
        if self.distinct < 2 or self.has_decimals or self.are_booleans:
            return False
        return sum(map(len, self.sample)) <= _LONGEST_ID * len(self.sample)

    @property
    def comes_again(self) -> bool:
        """Whether values come again, as those of whoever does something more than once."""
        return self.distinct <= 0.98 * self.filled


_MOST_WORDS = 50
_LEAST_OF_A_WORD = 3


def look_at(
    table: TableFile, wanted: ColumnFilter = lambda name: True, batches: int | None = None
) -> dict[str, ColumnLook]:
    """Looks at the columns of a table.

    Args:
        table: the file, which is read.
        wanted: selects the columns.
        batches: most batches of rows to look at; None: the whole file.

    Cost: a pass over the file, and the distinct texts of its columns in memory.
    """
    found: dict[str, ColumnLook] = {
        name: ColumnLook() for name in table.names if name and wanted(name)
    }
    rows = 0
    for batch in islice(table.batches(wanted, BATCH_ROWS), batches):
        for name in batch.columns:
            if wanted(name):
                _add(found.setdefault(name, ColumnLook()), batch, name)
        rows += len(batch)
        for look in found.values():
            look.rows = rows
    return found


def _add(look: ColumnLook, batch: RowBatch, name: str) -> None:
    texts = texts_of(batch.cells(name), strip=True)
    if len(look.sample) < SAMPLE:
        cells = texts.to_list(slice(0, SAMPLE))
        look.sample += list(filter(None, cells))[: SAMPLE - len(look.sample)]
    counts = np.bincount(texts.code, minlength=len(texts.distinct)).tolist()
    for text, count in zip(texts.distinct, counts, strict=True):
        if text and (text in look.counts or len(look.counts) < MOST_DISTINCT):
            look.counts[text] += count


def _number(text: str) -> float | None:
    plain = text.replace(",", ".") if is_separated_number(text) else text
    try:
        return float(plain)
    except ValueError:
        return None
