"""Reads CSV and TSV files. Rows are parsed here alone, by Python's csv module in its strict mode.

It says what is wrong with a single row and goes on behind it. `pyarrow.csv` is eight times as fast,
but silently accepts stray quotes, and knows neither the reason for a refusal nor its line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import chain
from operator import itemgetter
from pathlib import Path

import numpy as np
import pyarrow as pa

from penchant.domain.errors import ConfigError
from penchant.logs.row_batch import BATCH_BYTES, BATCH_ROWS, RowBatch, UnreadableRow
from penchant.logs.table_file import ColumnFilter, TextFile

_FIELD_BYTES = 1 << 20
"""Longest field; an unclosed quote swallows no more than this."""

_OTHER_DELIMITERS = ";\t|"
"""Tried in this order for a CSV file whose heading has no comma."""

_BOM = b"\xef\xbb\xbf"


class CsvTable(TextFile):
    """A file whose first line holds the names of the columns; a column without a name is ignored.

    Cells are text.
    """

    def __init__(self, path: Path, delimiter: str = "") -> None:
        """Opens the file and reads its heading.

        Args:
            path: the file.
            delimiter: between the fields; default: a comma, or another that the heading has.
        """
        super().__init__(path)
        self._damaged = False
        first = next(self._lines(), b"").removeprefix(_BOM)
        text = self._decoded(chain([first], self._lines()))
        delimiter = delimiter or _delimiter_of(first)
        csv.field_size_limit(_FIELD_BYTES)
        self._reader = csv.reader(text, delimiter=delimiter, strict=True)
        try:
            heading = next(self._reader, [])
        except csv.Error as error:
            raise ConfigError(f"file: the heading of {path.name} can't be read: {error}") from error
        self.names = [name.strip() for name in heading]

    def batches(
        self, wanted: ColumnFilter = lambda name: True, rows: int = BATCH_ROWS
    ) -> Iterator[RowBatch]:
        """See `TableFile.batches`."""
        blank = [None] * len(self.names)
        number = 0
        while True:
            lines: list[int] = []
            cells: list[Sequence[str | None]] = []
            unreadable: dict[int, UnreadableRow] = {}
            end = self._bytes + BATCH_BYTES
            while len(lines) < rows and self._bytes < end:
                line = self._reader.line_num + 1
                self._damaged = False
                try:
                    row = next(self._reader, None)
                    if row is None:
                        break
                    if not row:
                        continue  # A blank line.
                    fault = self._fault(row)
                except csv.Error as error:
                    row, fault = [], f"not CSV: {error}"
                if fault:
                    unreadable[len(lines)] = UnreadableRow(fault, self._by_name(row))
                cells.append(blank if fault else row)
                lines.append(line)
            if not lines:
                return
            columns = {
                name: pa.array(map(itemgetter(place), cells), pa.string(), size=len(cells))
                for place, name in enumerate(self.names)
                if name and wanted(name)
            }
            numbers = np.arange(number + 1, number + 1 + len(lines))
            number += len(lines)
            yield RowBatch(numbers, np.array(lines), columns, unreadable)

    def _fault(self, row: Sequence[str]) -> str:
        if len(row) != len(self.names):
            return f"got {len(row)} fields, expected {len(self.names)}"
        return "not UTF-8" if self._damaged else ""

    def _by_name(self, row: Sequence[str]) -> dict[str, str]:
        return {name: cell for name, cell in zip(self.names, row, strict=False) if name}

    def _decoded(self, lines: Iterator[bytes]) -> Iterator[str]:
        """Decodes lines; bytes that are not UTF-8 become surrogates, and their row is refused."""
        for line in lines:
            try:
                yield line.decode()
            except UnicodeDecodeError:
                self._damaged = True
                yield line.decode("utf-8", "surrogateescape")


def _delimiter_of(heading: bytes) -> str:
    if b"," in heading:
        return ","
    return next((one for one in _OTHER_DELIMITERS if one.encode() in heading), ",")
