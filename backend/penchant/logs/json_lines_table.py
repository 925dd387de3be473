"""Reads files with a JSON object on each line."""

from __future__ import annotations

import codecs
import json
import re
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from penchant.domain.errors import ConfigError
from penchant.logs.row_batch import BATCH_BYTES, BATCH_ROWS, RowBatch, UnreadableRow
from penchant.logs.table_file import ColumnFilter, TextFile
from penchant.logs.text_source import TextSource, conversion
from penchant.system.strict_json import read_json

_ARRAY = re.compile(rb"\s*\[\s*\{|\s*\[\s*$")
"""Begins one JSON array of the rows; a line of its own such as `[1]` is a bad row."""

_FIRST_OF_SEVERAL_LINES = re.compile(rb"\s*\{\s*\n")
"""Begins an object that goes on in the next line."""


def is_json_array(head: bytes) -> bool:
    """Whether a file that begins with these bytes is one JSON array of objects."""
    return _ARRAY.match(head.removeprefix(codecs.BOM_UTF8)) is not None


class JsonLinesTable(TextFile):
    """A file of JSON objects; the number of a row is the number of its line.

    Cells are what `json.loads` makes of them; a line that holds a key twice is refused.
    """

    def _read_names(self) -> Sequence[str]:
        if is_json_array(self.source.head):
            name = self.path.name
            raise ConfigError(
                f"file: {name} is one JSON array, expected a JSON object on each line; convert it: "
                f"jq -c '.[]' {shlex.quote(name)}"
            )
        if _FIRST_OF_SEVERAL_LINES.match(self.source.head.removeprefix(codecs.BOM_UTF8)):
            raise ConfigError(
                f"file: an object of {self.path.name} has several lines, expected a JSON object on "
                f"each line; convert it: jq -c . {shlex.quote(self.path.name)}"
            )
        readable = (row for _, _, row in self._rows() if not isinstance(row, str))
        first = next(readable, {})
        if _is_table_by_column(first):
            name = self.path.name
            raise ConfigError(
                f"file: {name} is one JSON object of columns, as pandas writes it by default, "
                "expected a JSON object on each line; write it by "
                f"to_json({name!r}, orient='records', lines=True)"
            )
        return list(first)

    def names_so_far(self) -> Iterator[Collection[str]]:
        """See `TableFile.names_so_far`; twice as many rows each time."""
        yield self.names
        names: dict[str, None] = {}
        looked_at, enough = 0, 2
        for _, _, row in self._rows():
            if isinstance(row, str):
                continue
            names.update(dict.fromkeys(row))
            looked_at += 1
            if looked_at == enough:
                yield list(names)
                enough *= 2
        yield list(names)

    def batches(
        self, wanted: ColumnFilter = lambda name: True, rows: int = BATCH_ROWS
    ) -> Iterator[RowBatch]:
        """See `TableFile.batches`."""
        numbers: list[int] = []
        found: list[Mapping[str, Any]] = []
        unreadable: dict[int, UnreadableRow] = {}
        size = 0
        for number, length, row in self._rows():
            if isinstance(row, str):
                unreadable[len(found)] = UnreadableRow(row)
                row = {}
            numbers.append(number)
            found.append(row)
            size += length
            if len(found) == rows or size >= BATCH_BYTES:
                yield RowBatch.of_rows(found, np.array(numbers), unreadable, wanted)
                numbers, found, unreadable, size = [], [], {}, 0
        if found:
            yield RowBatch.of_rows(found, np.array(numbers), unreadable, wanted)

    def again(self) -> JsonLinesTable:
        """See `TableFile.again`."""
        return JsonLinesTable(TextSource(self.path))

    def _rows(self) -> Iterator[tuple[int, int, dict[str, Any] | str]]:
        """Yields each line's number and length, and its object, or the reason why it has none."""
        self.source.rewind()
        for number, line in enumerate(self.source.lines(newline_only=True), start=1):
            if not line.strip():
                continue
            try:
                values = read_json(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            except UnicodeDecodeError:
                yield number, len(line), f"not UTF-8; {conversion(self.path.name)}"
            except (json.JSONDecodeError, RecursionError) as error:
                yield number, len(line), f"not JSON: {error}"
            except ValueError as error:
                yield number, len(line), str(error)
            else:
                if isinstance(values, dict):
                    yield number, len(line), values
                else:
                    name = type(values).__name__
                    yield number, len(line), f"got a JSON {name}, expected an object"


def _is_table_by_column(row: Mapping[str, Any]) -> bool:
    """Whether an object holds a table by column and row number."""
    columns = list(row.values())
    if len(columns) < 2 or not all(isinstance(one, dict) and one for one in columns):
        return False
    return all(list(one) == list(columns[0]) for one in columns) and all(
        map(str.isdigit, columns[0])
    )
