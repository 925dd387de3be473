"""Reads CSV and TSV files. Rows are parsed here alone, by Python's csv module in its strict mode.

It says what is wrong with a single row and continues after it. `pyarrow.csv` is eight times as
fast, but silently accepts stray quotes, and knows neither the reason for a refusal nor its line.

A quote that is not closed would swallow the rows behind it. Its line alone is refused, and the
lines behind it are read again, as rows of their own.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections import deque
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Literal

import numpy as np
import pyarrow as pa

from penchant.domain.errors import ConfigError
from penchant.logs.csv_shape import (
    COMMENT,
    DOUBLE_COLON,
    column_names,
    delimiter_of,
    delimiter_of_sep_line,
    is_marked_heading,
    looks_like_data,
    names_by_place,
)
from penchant.logs.lost_ids import LOST_IN_CSV
from penchant.logs.open_quotes import MANY_LINES, swallows_rows
from penchant.logs.row_batch import BATCH_BYTES, BATCH_ROWS, RowBatch, UnreadableRow
from penchant.logs.table_file import ColumnFilter, TextFile
from penchant.logs.text_source import TextSource, conversion

_FIELD_BYTES = 1 << 20
"""Longest field; a quote that is not closed is followed no farther than this."""

_MOST_LINES_OF_A_HEADING = 20

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BOM = b"\xef\xbb\xbf"
_AT_THE_END = "unexpected end of data"
"""What Python's csv module says where the file ends within a quote."""
_UNIT_SEPARATOR = "\x1f"
"""Stands for a delimiter of two characters, which Python's csv module can't read."""


class CsvTable(TextFile):
    """A file whose first line holds the names of the columns; a column without a name is ignored.

    Without such a line, the columns are named by their places. Cells are text.
    """

    has_separators = True

    def __init__(self, source: TextSource, delimiter: str = "", *, recovers: bool = False) -> None:
        """Reads the heading.

        Args:
            source: the file.
            delimiter: between the fields; default, and where the heading has none: the first of
                comma, semicolon, tab, bar and `::` in the heading.
            recovers: goes on behind a quote that is not closed; else the file is refused.
        """
        self._expected = delimiter
        self._recovers = recovers
        self._delimiter = ","
        self._quotes = True
        self._separator = ""  # Replaced in each line by the delimiter, if any.
        self._damaged = False  # Whether a line of the present row is not UTF-8, or holds a NUL.
        self._bytes = 0  # Of the lines read so far.
        self._number = 0  # Lines that the csv module has got so far.
        self._record: list[str] = []  # Those of the present row.
        self._again: deque[str] = deque()  # To be read once more.
        self._open_quotes = 0
        super().__init__(source)

    @property
    def open_quotes(self) -> int:
        """See `TableFile.open_quotes`."""
        return self._open_quotes

    def again(self) -> CsvTable:
        """See `TableFile.again`."""
        return CsvTable(TextSource(self.path), self._expected, recovers=self._recovers)

    def _read_names(self) -> Sequence[str]:
        csv.field_size_limit(_FIELD_BYTES)
        self._lines = self.source.lines()
        first = self._first_line()
        delimiter = delimiter_of_sep_line(first)
        if delimiter:
            self._number += 1
            first = self._first_line()
        first = self._behind_comments(first)
        delimiter = delimiter or delimiter_of(first, self._expected)
        if delimiter == DOUBLE_COLON:
            self._separator, delimiter = delimiter, _UNIT_SEPARATOR
            self._quotes = False
        self._delimiter = delimiter
        self._again.appendleft(first)
        self._restart()
        try:
            heading = next(self._reader, [])
        except csv.Error as error:
            open_quote = "a quote in it is not closed" if _is_without_end(error) else str(error)
            raise self._bad_heading(open_quote) from error
        if len(self._record) > _MOST_LINES_OF_A_HEADING:
            raise self._bad_heading(f"it has {len(self._record)} lines; is a quote not closed?")
        self._damaged = False
        if any(map(_CONTROL.search, heading)):
            raise self._bad_heading("it holds control characters; is the file text?")
        if not looks_like_data(heading):
            return column_names(
                [name if _is_utf8(name) else self._no_name(name) for name in heading]
            )
        self.first_row_is_data = True
        names = names_by_place(heading, self._separator)
        self.warnings.append(
            f"{self.path.name} has no heading; its columns are read as {', '.join(names)}"
        )
        self._read_again(self._record)
        return names

    def _first_line(self) -> str:
        """Returns the next line that is not blank."""
        for line in self._lines:
            self._bytes += len(line)
            text = line.removeprefix(_BOM).decode("utf-8", "surrogateescape")
            if text.strip():
                return text
            self._number += 1
        return ""

    def _behind_comments(self, first: str) -> str:
        """Returns the heading behind lines that begin with `#`; one of them may be the heading."""
        comments: list[str] = []
        while first.lstrip().startswith(COMMENT):
            comments.append(first)
            first = self._first_line()
        if comments and is_marked_heading(comments[-1], first, self._expected):
            self._again.append(first)
            first = comments.pop().lstrip().removeprefix(COMMENT).lstrip()
        self._number += len(comments)
        if comments:
            self.warnings.append(
                f"{self.path.name} begins with comments, which are not read: {len(comments)} lines"
            )
        return first

    def _no_name(self, name: str) -> str:
        """Leaves out the column of a name that can't be written anywhere, and says so."""
        shown = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        self.warnings.append(
            f"a column of {self.path.name} is left out: its name, {shown!r}, is not UTF-8; "
            f"{conversion(self.path.name)}"
        )
        return ""

    def _bad_heading(self, why: str) -> ConfigError:
        return ConfigError(f"file: the heading of {self.path.name} can't be read: {why}")

    def batches(
        self, wanted: ColumnFilter = lambda name: True, rows: int = BATCH_ROWS
    ) -> Iterator[RowBatch]:
        """See `TableFile.batches`."""
        width, record = len(self.names), self._record
        blank: Sequence[str | None] = [None] * width
        number, ended = 0, False
        while not ended:
            lines: list[int] = []
            cells: list[Sequence[str | None]] = []
            unreadable: dict[int, UnreadableRow] = {}
            end = self._bytes + BATCH_BYTES
            while len(lines) < rows and self._bytes < end:
                record.clear()
                line, refused = self._number + 1, None
                row: list[str] | None = None
                try:
                    row = next(self._reader, None)
                except csv.Error as error:
                    refused = self._not_csv(error, line)
                else:
                    if row is None:
                        ended = True
                        break
                    if not row:
                        continue  # A blank line.
                    if len(record) > 1:
                        refused = self._of_several_lines(row, line)
                    if refused is None and (len(row) != width or self._damaged):
                        row, refused = self._fitted(row)
                if refused is not None:
                    unreadable[len(lines)] = refused
                self._damaged = False
                cells.append(row if row is not None and refused is None else blank)
                lines.append(line)
            if not lines:
                continue  # Nothing but blank lines.
            columns = {
                name: pa.array(list(map(itemgetter(place), cells)), pa.string())
                for place, name in enumerate(self.names)
                if name and wanted(name)
            }
            numbers = np.arange(number + 1, number + 1 + len(lines))
            number += len(lines)
            yield RowBatch(
                numbers, np.array(lines), columns, unreadable, untyped=True, lost_ids=LOST_IN_CSV
            )

    def _not_csv(self, error: csv.Error, line: int) -> UnreadableRow:
        record = self._record
        if len(record) == 1 and _AT_THE_END not in str(error):
            return UnreadableRow(f"not CSV: {error}", self._first_cells())
        if self._swallows_rows() or _is_without_end(error):
            return self._open_quote(line, "is not closed")
        refused = UnreadableRow(f"not CSV: {error}", self._first_cells())
        self._read_again(record[1:])
        return refused

    def _of_several_lines(self, row: Sequence[str], line: int) -> UnreadableRow | None:
        """Returns why a row of several lines is none; None: it is one."""
        last = line + len(self._record) - 1
        if self._swallows_rows():
            return self._open_quote(line, f"is closed on line {last:,} only, behind other rows")
        if len(row) != len(self.names):
            reason = f"got {len(row)} fields on lines {line:,} to {last:,}"
            return UnreadableRow(f"{reason}, expected {len(self.names)}", self._first_cells())
        if len(self._record) >= MANY_LINES:
            self.warnings.append(
                f"the row on lines {line:,} to {last:,} of {self.path.name} is long; is a quote "
                "not closed?"
            )
        return None

    def _swallows_rows(self) -> bool:
        return swallows_rows(self._record, len(self.names), self._delimiter)

    def _open_quote(self, line: int, what: str) -> UnreadableRow:
        reason = f"the quote that opens here {what}"
        if not self._recovers:
            raise ConfigError(
                f"file: {self.path.name}, line {line:,}: {reason}; close it, or write a quote that "
                'is part of the text as ""'
            )
        self._open_quotes += 1
        refused = UnreadableRow(reason, self._first_cells())
        self._read_again(self._record[1:])
        return refused

    def _first_cells(self) -> dict[str, str]:
        cells = self._record[0].rstrip("\r\n").split(self._delimiter)
        return {name: cell for name, cell in zip(self.names, cells, strict=False) if name}

    def _fitted(self, row: list[str]) -> tuple[list[str], UnreadableRow | None]:
        """Drops empty fields behind the last column; refuses a row that still does not fit."""
        width = len(self.names)
        if len(row) > width and not any(row[width:]):
            row = row[:width]
        reason = self._damage(row) if self._damaged else ""
        if len(row) != width and not reason:
            reason = f"got {len(row)} fields, expected {width}"
        if not reason:
            return row, None
        values = {name: cell for name, cell in zip(self.names, row, strict=False) if name}
        return row, UnreadableRow(reason, values)

    def _damage(self, row: Sequence[str]) -> str:
        for name, cell in zip(self.names, row, strict=False):
            if not name:
                continue  # Nobody reads it.
            if "\0" in cell:
                return f"column {name!r} holds a NUL byte"
            byte = next((ord(one) & 0xFF for one in cell if "\udc80" <= one <= "\udcff"), None)
            if byte is not None:
                return f"not UTF-8: byte 0x{byte:02x} in {name!r}; {conversion(self.path.name)}"
        return ""

    def _read_again(self, lines: Sequence[str]) -> None:
        """Gives lines back that the csv module got, and starts it anew."""
        self._number -= len(lines)
        self._again.extendleft(reversed(lines))
        self._restart()

    def _restart(self) -> None:
        self._record.clear()
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if self._quotes else csv.QUOTE_NONE
        self._reader = csv.reader(
            self._texts(), delimiter=self._delimiter, quoting=quoting, strict=True
        )

    def _texts(self) -> Iterator[str]:
        """The lines for the csv module, first those that were given back."""
        record, separator = self._record, self._separator
        for text in itertools.chain(self._given_back(), self._decoded()):
            if "\0" in text:
                self._damaged = True
            if separator:
                text = text.replace(separator, _UNIT_SEPARATOR)
            self._number += 1
            record.append(text)
            yield text

    def _given_back(self) -> Iterator[str]:
        while self._again:
            text = self._again.popleft()
            if not _is_utf8(text):
                self._damaged = True
            yield text

    def _decoded(self) -> Iterator[str]:
        """Decodes lines; bytes that are not UTF-8 become surrogates, and their row is refused."""
        for line in self._lines:
            self._bytes += len(line)
            try:
                text = line.decode()
            except UnicodeDecodeError:
                self._damaged = True
                text = line.decode("utf-8", "surrogateescape")
            yield text


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_without_end(error: csv.Error) -> bool:
    """Whether a field reaches to the end of the file, or is longer than any may be."""
    return _AT_THE_END in str(error) or "field limit" in str(error)
