"""Opens CSV, TSV, JSON lines and Parquet files as batches of rows; no file is loaded whole."""

from __future__ import annotations

import codecs
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from penchant.domain.errors import ConfigError
from penchant.logs.csv_shape import DELIMITERS, DOUBLE_COLON
from penchant.logs.csv_table import CsvTable
from penchant.logs.json_lines_table import JsonLinesTable, is_json_array
from penchant.logs.parquet_table import ParquetTable
from penchant.logs.table_file import TableFile
from penchant.logs.text_source import PARQUET, TextSource, open_binary, regular_size

FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}
"""Formats by suffix; a further suffix may follow: `.csv.gz`, `.parquet.brotli`."""

_LOOK_BYTES = 256
"""Bytes at the start of a file that tell text from Parquet."""


def format_of(path: Path) -> str:
    """Returns the format that a file's name says: csv, tsv, jsonl or parquet; empty: none.

    >>> format_of(Path("films.parquet.brotli")), format_of(Path("a.b/films.CSV"))
    ('parquet', 'csv')
    """
    suffixes = (suffix.lower() for suffix in reversed(path.suffixes))
    return next((FORMATS[suffix] for suffix in suffixes if suffix in FORMATS), "")


def open_table(path: Path, format: str | None = None, *, recovers: bool = False) -> TableFile:
    """Opens a file of rows.

    Args:
        path: the file.
        format: csv, tsv, jsonl or parquet; None: as the file's content and its name say.
        recovers: goes on behind a quote that is not closed; else the file is refused.

    Raises:
        ConfigError: the file can't be opened, is not of that format, or has two columns of one
            name.
    """
    if format is not None and format not in FORMATS.values():
        raise ConfigError(f"format: got {format!r}, expected csv, tsv, jsonl or parquet")
    table = _opened(path, format, recovers)
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


def _opened(path: Path, format: str | None, recovers: bool) -> TableFile:
    regular_size(path)
    if format == "parquet" or (format is None and _is_parquet(path)):
        return ParquetTable(path)
    source = TextSource(path)
    try:
        format = format or _format_of_text(source)
    except BaseException:
        source.close()
        raise
    if format == "jsonl":
        return JsonLinesTable(source)
    return CsvTable(source, "\t" if format == "tsv" else "", recovers=recovers)


def _is_parquet(path: Path) -> bool:
    with open_binary(path) as file:
        start = file.read(_LOOK_BYTES)
    if start.startswith(PARQUET):
        return True
    is_text = start and all(byte >= 32 or byte in b"\t\r\n" for byte in start)
    return format_of(path) == "parquet" and start[:2] != b"\x1f\x8b" and not is_text


def _format_of_text(source: TextSource) -> str:
    """Returns the format of text: JSON where it begins as such, else what the name says."""
    if is_json_array(source.head):
        return "jsonl"
    first = next(source.lines(newline_only=True), b"").removeprefix(b"\xef\xbb\xbf").strip()
    source.rewind()
    if _is_json_object(first):
        return "jsonl"
    named = format_of(source.path)
    if named and named != "parquet":
        return named
    if first.startswith((b"{", b"[")):
        return "jsonl"
    if any(one.encode() in first for one in (*DELIMITERS, DOUBLE_COLON)):
        return "csv"
    if not source.head.removeprefix(codecs.BOM_UTF8).strip():
        raise ConfigError(f"file: {source.path.name} is empty")
    raise ConfigError(
        f"file: can't tell the format of {source.path.name}; name it with --format csv, tsv, jsonl "
        "or parquet"
    )


def _is_json_object(line: bytes) -> bool:
    if not line.startswith(b"{"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
