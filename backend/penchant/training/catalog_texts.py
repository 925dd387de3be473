"""Texts to train on and to compare with: of a catalog's items, or of a file with one a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter, Token

from penchant.domain.errors import ConfigError
from penchant.logs.columns import COLUMNS_GROUP, ItemColumns
from penchant.logs.datasets.movielens import read_movielens
from penchant.logs.log_source import MOVIELENS, LogSource
from penchant.logs.open_table import open_table
from penchant.logs.read_table import read_items
from penchant.logs.refusals import LeftOut
from penchant.system.option_types import FLAT


def _path(_type: Any, tokens: Sequence[Token]) -> Path:
    return Path(tokens[0].value)


TextLines = Annotated[
    Path | Sequence[str] | None,
    Parameter(metavar="PATH", converter=_path, n_tokens=1, accepts_keys=False),
]
"""Texts in a UTF-8 file, one a line, or in memory; on the command line always a file."""


@dataclass(frozen=True, slots=True)
class CatalogSource:
    """A catalog's items, in a file, in a data set, or as texts in memory."""

    items: Path | None = None
    """File of items."""
    dataset: str = ""
    """Data set to use instead of a file of items: movielens."""
    columns: Annotated[ItemColumns, FLAT] = ItemColumns()
    mapped: Annotated[
        tuple[str, ...],
        Parameter(
            name="--map",
            metavar="COLUMN=FIELD",
            show_default=False,
            negative=(),
            group=COLUMNS_GROUP,
        ),
    ] = ()
    """Take a field of items from this column; repeatable."""
    format: Annotated[str | None, Parameter(metavar="NAME", group=COLUMNS_GROUP)] = None
    """Format of the file: csv, tsv, jsonl or parquet; by default, as its content or name says."""
    texts: Annotated[Sequence[str] | None, Parameter(parse=False)] = None
    """The items' texts, already in memory."""


def catalog_texts(source: CatalogSource, left_out: LeftOut) -> list[str]:
    """The texts of a catalog's items; empty if the source names none.

    Args:
        source: the catalog.
        left_out: counts the rows that are refused.

    Raises:
        ConfigError: the options contradict each other, or the file can't be read.
    """
    if source.texts is not None:
        return list(source.texts)
    if source.dataset:
        if source.dataset != MOVIELENS or source.items is not None:
            raise ConfigError(
                f"--dataset: got {source.dataset!r}, expected {MOVIELENS}, without --items"
            )
        return [film.text for film in read_movielens().films]
    if source.items is None:
        return []
    columns, _ = LogSource(item_columns=source.columns, mapped=source.mapped).columns()
    with open_table(source.items, source.format) as table:
        # An id that stands in for a text that is missing teaches nothing.
        items = read_items(table, columns, left_out)
        return [item.text for item in items if item.text != item.id]


def text_lines(given: Path | Sequence[str] | None, option: str) -> list[str]:
    """Texts from memory, or the lines of a UTF-8 file that are not blank; empty for None.

    Args:
        given: see `TextLines`.
        option: the option that names the file, for the error.

    Raises:
        ConfigError: the file can't be read.
    """
    if given is None:
        return []
    if not isinstance(given, Path):
        return list(given)
    try:
        lines = given.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{option}: {given} can't be read: {error}") from error
    return [line for line in lines if line.strip()]
