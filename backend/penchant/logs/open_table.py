"""Opens CSV, TSV, JSON lines and Parquet files as batches of rows; no file is loaded whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from penchant.domain.errors import ConfigError
from penchant.logs.csv_table import CsvTable
from penchant.logs.json_lines_table import JsonLinesTable
from penchant.logs.parquet_table import ParquetTable
from penchant.logs.table_file import TableFile

FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
"""Formats by suffix; a further suffix may follow: `.csv.gz`, `.parquet.brotli`."""

_OPENERS: dict[str, Callable[[Path], TableFile]] = {
    "csv": CsvTable,
    "tsv": lambda path: CsvTable(path, "\t"),
    "jsonl": JsonLinesTable,
    "parquet": ParquetTable,
}


def format_of(path: Path) -> str:
    """Returns the format that a file's name says: csv, tsv, jsonl or parquet.

    Raises:
        ConfigError: the name says none.

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


def open_table(path: Path, format: str | None = None) -> TableFile:
    """Opens a file of rows.

    Args:
        path: the file.
        format: csv, tsv, jsonl or parquet; None: as the file's name says.

    Raises:
        ConfigError: the file can't be opened, is not of that format, or has two columns of one
            name.
    """
    format = format or format_of(path)
    if format not in _OPENERS:
        raise ConfigError(f"format: got {format!r}, expected csv, tsv, jsonl or parquet")
    try:
        table = _OPENERS[format](path)
    except OSError as error:
        raise ConfigError(f"file: {path} can't be opened: {error.strerror or error}") from error
    twice = [name for name, count in Counter(table.names).items() if name and count > 1]
    if twice:
        table.close()
        raise ConfigError(f"file: {path.name} has two columns named {twice[0]!r}; rename one")
    return table


def read_rows(path: Path, format: str | None = None) -> Iterator[dict[str, Any]]:
    """Yields the rows of a small table by column, as Python objects.

    Raises:
        ConfigError: the file can't be read; see `open_table`.
    """
    with open_table(path, format) as table:
        for batch in table.batches():
            yield from batch.rows()
