"""Finds the columns of a table's fields, or says what there is instead."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol, Self, TypeVar

from penchant.domain.errors import ConfigError
from penchant.logs.cells import printable
from penchant.logs.csv_shape import DELIMITERS
from penchant.logs.table_file import TableFile

_SHOWN = 300
"""Most characters of a file's column names in an error."""


class _Columns(Protocol):
    def found_in(self, names: Collection[str]) -> Self: ...

    def missing_in(self, names: Collection[str]) -> Mapping[str, str]: ...


C = TypeVar("C", bound=_Columns)


def columns_of(table: TableFile, columns: C) -> C:
    """Returns the columns to read in a table.

    Raises:
        ConfigError: the table lacks a column that it must have, or several could be the same one.
    """
    found = columns.found_in(table.names)
    checked = table.names and table.every_row_has_these_columns
    if checked and (missing := found.missing_in(table.names)):
        names = ", ".join(map(printable, filter(None, table.names)))
        shown = names if len(names) <= _SHOWN else names[:_SHOWN] + "..."
        ways = "; ".join(f"{field}: {way}" for field, way in missing.items())
        raise ConfigError(
            f"file: {table.path.name} has no column for {', '.join(missing)}; it has "
            f"{shown or 'none'}{_likely_cause(table, names)} ({ways})"
        )
    return found


def _likely_cause(table: TableFile, names: str) -> str:
    if table.first_row_is_data:
        return (
            ", the places, because its first row is data; add a heading, or name the columns by "
            "their places, as in --map 1=user --map 2=item"
        )
    if len(table.names) == 1:
        other = next((one for one in DELIMITERS if one in names), "")
        return f"; is the separator {other!r}?" if other else "; is it separated by commas?"
    return ""
