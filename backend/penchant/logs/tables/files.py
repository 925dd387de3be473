"""Rows of CSV, TSV, JSONL and Parquet files, one at a time: no file is loaded whole."""

from __future__ import annotations

import csv
import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penchant.domain.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow

FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
"""Formats by the file name's ending; `.parquet.brotli` and the like are Parquet too."""

_FIELD_LIMIT = 1 << 20
_PARQUET_ROWS = 1024


@dataclass(frozen=True, slots=True)
class Row:
    """One row as the file has it."""

    number: int
    """From 1; the heading of a CSV file is not counted, blank lines of a JSONL file are."""
    values: Mapping[str, Any]
    """By column."""
    fault: str = ""
    """Why the row can't be read; empty: it can."""


class Table(ABC):
    """An open file of rows."""

    size: int
    """How much there is to read: bytes, or rows of a Parquet file."""

    @property
    @abstractmethod
    def done(self) -> int:
        """How much of `size` was read."""

    @abstractmethod
    def rows(self) -> Iterator[Row]:
        """The rows in their order; one that can't be read comes with its fault."""

    @abstractmethod
    def close(self) -> None:
        """Closes the file."""


def format_of(path: Path) -> str:
    """The format that a file's name tells: csv, tsv, jsonl or parquet.

    Raises:
        ConfigError: it tells none.

    >>> format_of(Path("films.parquet.brotli")), format_of(Path("a.b/films.CSV"))
    ('parquet', 'csv')
    """
    for suffix in reversed(path.suffixes):
        if suffix.lower() in FORMATS:
            return FORMATS[suffix.lower()]
    raise ConfigError(
        f"file: can't tell the format of {path.name}; name it with --format csv, tsv, jsonl "
        "or parquet"
    )


def open_table(path: Path, format: str | None = None) -> Table:
    """Opens a file of rows.

    Args:
        path: The file.
        format: csv, tsv, jsonl or parquet; None: by the file's name.

    Raises:
        ConfigError: the file can't be opened, or is not of that format.
    """
    format = format or format_of(path)
    try:
        if format in ("csv", "tsv"):
            return _Csv(path, "\t" if format == "tsv" else ",")
        if format == "jsonl":
            return _Jsonl(path)
        if format == "parquet":
            return ParquetTable(path)
    except OSError as error:
        raise ConfigError(f"file: {path} can't be opened: {error.strerror or error}") from error
    raise ConfigError(f"format: got {format!r}, expected csv, tsv, jsonl or parquet")


class _Bytes(Table):
    """A file whose progress is counted in bytes."""

    def __init__(self, path: Path) -> None:
        self.size = path.stat().st_size
        self._file = path.open("rb")

    @property
    def done(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()


class _Csv(_Bytes):
    def __init__(self, path: Path, delimiter: str) -> None:
        super().__init__(path)
        # Bytes that are no UTF-8 become surrogates, which only their own row is refused for.
        text = (line.decode("utf-8", "surrogateescape") for line in self._file)
        self._reader = csv.reader(text, delimiter=delimiter, strict=True)
        csv.field_size_limit(_FIELD_LIMIT)
        try:
            heading = next(self._reader, [])
        except csv.Error as error:
            raise ConfigError(f"file: the heading of {path.name} can't be read: {error}") from error
        self._columns = [name.removeprefix("\ufeff").strip() for name in heading]

    def rows(self) -> Iterator[Row]:
        number = 0
        while True:
            try:
                cells = next(self._reader, None)
            except csv.Error as error:
                number += 1
                yield Row(number, {}, f"not CSV: {error}")
                continue
            if cells is None:
                return
            if not cells:
                continue  # A blank line.
            number += 1
            values = dict(zip(self._columns, cells, strict=False))
            fault = ""
            if len(cells) != len(self._columns):
                fault = f"got {len(cells)} fields, expected {len(self._columns)}"
            elif any(not _is_text(cell) for cell in cells):
                fault = "not UTF-8"
            yield Row(number, values, fault)


class _Jsonl(_Bytes):
    def rows(self) -> Iterator[Row]:
        for number, line in enumerate(self._file, start=1):
            if not line.strip():
                continue
            try:
                values = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            except UnicodeDecodeError:
                yield Row(number, {}, "not UTF-8")
            except (ValueError, RecursionError) as error:
                yield Row(number, {}, f"not JSON: {error}")
            else:
                if isinstance(values, dict):
                    yield Row(number, values)
                else:
                    name = type(values).__name__
                    yield Row(number, {}, f"got a JSON {name}, expected an object")


class ParquetTable(Table):
    """A Parquet file, by rows or by batches of columns."""

    def __init__(self, path: Path) -> None:
        with path.open("rb"):
            pass  # For the plain error of a file that is not there.
        import pyarrow  # Only here: a CSV file needs none of its 100 MB.
        import pyarrow.parquet

        try:
            self._file = pyarrow.parquet.ParquetFile(path)
        except pyarrow.ArrowException as error:
            raise ConfigError(f"file: {path.name} is not a Parquet file: {error}") from error
        self.size = self._file.metadata.num_rows
        self._done = 0

    @property
    def done(self) -> int:
        """Rows."""
        return self._done

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self._file.schema_arrow.names)

    def batches(self, columns: Collection[str], rows: int) -> Iterator[pyarrow.RecordBatch]:
        """Some columns of all rows in their order, at most so many rows at once."""
        wanted = [name for name in self.columns if name in columns]
        for batch in self._file.iter_batches(batch_size=rows, columns=wanted):
            self._done += batch.num_rows
            yield batch

    def rows(self) -> Iterator[Row]:
        """See `Table.rows`."""
        for batch in self._file.iter_batches(batch_size=_PARQUET_ROWS):
            for values in batch.to_pylist():
                self._done += 1
                yield Row(self._done, values)

    def close(self) -> None:
        """See `Table.close`."""
        self._file.close()


def _is_text(cell: str) -> bool:
    return cell.isascii() or not any("\udc80" <= letter <= "\udcff" for letter in cell)
