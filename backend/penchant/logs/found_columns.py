"""Finds the columns of a table's fields, or says what there is instead.

A column that somebody names must be there, whatever it is for: a field that is silently empty
would give other figures than those that were asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
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


def way_to(column: str, default: str, option: str, names: Collection[str]) -> str:
    """Says what to do about a field whose column is not there: one that was named, or no name.

    >>> way_to("user", "user", "--user-column", ["u", "i"])
    'name it with --user-column'
    >>> way_to("Rated", "value", "--value-column", ["rated", "item"])
    "no column is named 'Rated'; did you mean 'rated'?"
    """
    if column == default:
        return f"name it with {option}"
    by_case = {name.casefold(): name for name in names}
    near = get_close_matches(column.casefold(), by_case, 1)
    hint = f"; did you mean {by_case[near[0]]!r}?" if near else ""
    return f"no column is named {column!r}{hint}"


def columns_of(table: TableFile, columns: C) -> C:
    """Returns the columns to read in a table.

    Of JSON lines, as many rows are looked at as it takes to find the columns, if need be all.

    Raises:
        ConfigError: the table lacks a column that it must have or that was named, or several
            could be the same one.
    """
    found, missing = columns, dict[str, str]()
    names: Collection[str] = ()
    for names in table.names_so_far():
        found = columns.found_in(names)
        missing = dict(found.missing_in(names)) if names else {}
        if not missing:
            break
    if missing:
        raise ConfigError(f"file: {what_is_missing(table, names, missing)}")
    return found


def what_is_missing(table: TableFile, names: Collection[str], missing: Mapping[str, str]) -> str:
    """Says which fields a table has no column for, what it has instead, and the way to each."""
    listed = ", ".join(map(printable, filter(None, names)))
    shown = listed if len(listed) <= _SHOWN else listed[:_SHOWN] + "..."
    ways = "; ".join(f"{field}: {way}" for field, way in missing.items())
    return (
        f"{table.path.name} has no column for {', '.join(missing)}; it has "
        f"{shown or 'none'}{_likely_cause(table, listed)} ({ways})"
    )


def _likely_cause(table: TableFile, names: str) -> str:
    if table.first_row_is_data:
        return (
            ", the places, because its first row is data; add a heading, or name the columns by "
            "their places, as in --map 1=user --map 2=item"
        )
    if table.has_separators and len(table.names) == 1:
        other = next((one for one in DELIMITERS if one in names), "")
        return f"; is the separator {other!r}?" if other else "; is it separated by commas?"
    return ""
