"""Attributes of users (country, age band) in a file of their own, joined to their events.

Each column whose values are shared by many users becomes a key of the context of those users'
events. Names, addresses and other columns that tell users apart are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from penchant.domain.errors import ConfigError
from penchant.domain.limits import Limits
from penchant.logs.assumed_columns import Say
from penchant.logs.cell_arrays import CodedTexts
from penchant.logs.cells import BadRow, printable, text_of
from penchant.logs.event_log import EventLog
from penchant.logs.known_columns import USERS, folded
from penchant.logs.open_table import read_rows

USERS_A_VALUE = 10
"""Users, on average, that must share a value of a column that is read."""

MOST_ATTRIBUTES = 8
"""Columns that are read, at most."""

_IDS = frozenset(map(folded, ("id", *USERS)))


def with_user_attributes(log: EventLog, path: Path, format_: str | None, say: Say) -> EventLog:
    """Returns the log with the attributes of its users.

    Args:
        log: the events.
        path: the file of users, one a row.
        format_: its format; None: as its content or name says.
        say: called with what was read, and what was left out.

    Raises:
        ConfigError: the file can't be read, no column holds the events' users, or no other one
            holds values that users share.
    """
    columns = _columns(path, format_)
    users = {user: place for place, user in enumerate(log.user.distinct)}
    key = _user_column(columns, users, path)
    ids = columns.pop(key)
    of_row = [users.get(cell, -1) for cell in ids]
    repeated = sum(count > 1 for id_, count in Counter(ids).items() if id_)
    known = np.unique([place for place in of_row if place >= 0])
    kept = {name: cells for name, cells in columns.items() if _is_shared(name, cells)}
    if not kept:
        raise ConfigError(
            f"users: no column of {path.name} holds values that users share, such as a country; "
            f"it has {', '.join(map(printable, columns)) or 'none but ' + printable(key)}"
        )
    kept = dict(list(kept.items())[:MOST_ATTRIBUTES])
    present = np.isin(np.unique(log.user.code), known)
    say(
        f"{int(present.sum()):,} of the {len(present):,} users of the events stand in "
        f"{path.name}, with {', '.join(map(printable, kept))}."
    )
    if repeated:
        what = "1 user stands" if repeated == 1 else f"{repeated:,} users stand"
        say(f"{what} in more than one row of {path.name}: the last row counts.")
    left = [name for name in columns if name not in kept]
    if left:
        say(f"Left out, since too few users share a value: {', '.join(map(printable, left))}.")
    attributes = {name: _of_events(log, of_row, kept[name]) for name in sorted(kept)}
    return log.with_attributes(attributes)


def _columns(path: Path, format_: str | None) -> dict[str, list[str]]:
    """The texts of all columns, each as long as the file."""
    columns: dict[str, list[str]] = {}
    count = 0
    for row in read_rows(path, format_):
        for name, cell in row.items():
            columns.setdefault(name, [""] * count).append(_text(cell))
        count += 1
        for cells in columns.values():
            cells.extend([""] * (count - len(cells)))
    if not count:
        raise ConfigError(f"users: {path.name} has no rows")
    return columns


def _text(cell: Any) -> str:
    try:
        return text_of(cell).strip()
    except BadRow:
        return ""


def _user_column(columns: Mapping[str, Sequence[str]], users: Mapping[str, int], path: Path) -> str:
    """The column of the users: that by name, else that which holds most of the events' users."""
    found = {name: sum(cell in users for cell in set(cells)) for name, cells in columns.items()}
    named = [name for name in columns if folded(name) in _IDS and found[name]]
    best = max(named or found, key=lambda name: found[name])
    if not found[best]:
        raise ConfigError(
            f"users: no column of {path.name} holds ids of the events' users; it has "
            f"{', '.join(map(printable, columns))}"
        )
    return best


def _is_shared(name: str, cells: Sequence[str]) -> bool:
    """Whether a column may be a key: at least two values, each of many users on average."""
    counts = Counter(filter(None, cells))
    most = Limits().context_bytes
    fits = all(len(text.encode("utf-8", "replace")) <= most for text in (name, *counts))
    return fits and 2 <= len(counts) <= sum(counts.values()) / USERS_A_VALUE and bool(name)


def _of_events(log: EventLog, of_row: Sequence[int], cells: Sequence[str]) -> CodedTexts:
    """The values of the events' users; of a user with two rows, those of the last one."""
    values = {"": 0}
    code = np.zeros(len(log.user.distinct), np.int32)
    for place, cell in zip(of_row, cells, strict=True):
        if place >= 0:
            code[place] = values.setdefault(cell, len(values))
    return CodedTexts(list(values), code[log.user.code])
