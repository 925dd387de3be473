"""Reads CSV and TSV files. Rows are parsed here alone, by Python's csv module in its strict mode.

It says what is wrong with a single row and continues after it. `pyarrow.csv` is eight times as
fast, but silently accepts stray quotes, and knows neither the reason for a refusal nor its line.
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
        self._delimiter = delimiter
        self._damaged = False  # Whether a line of the present row is not UTF-8.
        self._bytes = 0  # Of the lines read so far.
        super().__init__(path)

    def _read_names(self) -> Sequence[str]:
        first = next(self._lines(), b"").removeprefix(_BOM)
        text = self._decoded(chain([first], self._lines()))
        csv.field_size_limit(_FIELD_BYTES)
        delimiter = self._delimiter or _delimiter_of(first)
        self._reader = csv.reader(text, delimiter=delimiter, strict=True)
        try:
            heading = next(self._reader, [])
        except csv.Error as error:
            name = self.path.name
            raise ConfigError(f"file: the heading of {name} can't be read: {error}") from error
        self._damaged = False
        return [name.strip() for name in heading]

    def batches(
        self, wanted: ColumnFilter = lambda name: True, rows: int = BATCH_ROWS
    ) -> Iterator[RowBatch]:
        """See `TableFile.batches`."""
        reader, width = self._reader, len(self.names)
        blank: Sequence[str | None] = [None] * width
        number = 0
        while True:
            lines: list[int] = []
            cells: list[Sequence[str | None]] = []
            unreadable: dict[int, UnreadableRow] = {}
            end = self._bytes + BATCH_BYTES
            while len(lines) < rows and self._bytes < end:
                line = reader.line_num + 1
                try:
                    row = next(reader, None)
                except csv.Error as error:
                    unreadable[len(lines)] = UnreadableRow(f"not CSV: {error}")
                    cells.append(blank)
                else:
                    if row is None:
                        break
                    if not row:
                        continue  # A blank line.
                    readable = len(row) == width and not self._damaged
                    if not readable:
                        unreadable[len(lines)] = self._unreadable(row)
                    cells.append(row if readable else blank)
                self._damaged = False
                lines.append(line)
            if not lines:
                return
            columns = {
                name: pa.array(list(map(itemgetter(place), cells)), pa.string())
                for place, name in enumerate(self.names)
                if name and wanted(name)
            }
            numbers = np.arange(number + 1, number + 1 + len(lines))
            number += len(lines)
            yield RowBatch(numbers, np.array(lines), columns, unreadable)

    def _unreadable(self, row: Sequence[str]) -> UnreadableRow:
        reason = "not UTF-8"
        if len(row) != len(self.names):
            reason = f"got {len(row)} fields, expected {len(self.names)}"
        values = {name: cell for name, cell in zip(self.names, row, strict=False) if name}
        return UnreadableRow(reason, values)

    def _decoded(self, lines: Iterator[bytes]) -> Iterator[str]:
        """Decodes lines; bytes that are not UTF-8 become surrogates, and their row is refused."""
        for line in lines:
            self._bytes += len(line)
            try:
                yield line.decode()
            except UnicodeDecodeError:
                self._damaged = True
                yield line.decode("utf-8", "surrogateescape")


def _delimiter_of(heading: bytes) -> str:
    if b"," in heading:
        return ","
    return next((one for one in _OTHER_DELIMITERS if one.encode() in heading), ",")
