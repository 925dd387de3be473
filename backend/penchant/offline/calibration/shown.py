"""Impressions that were shown with a score at a place, and which of them were clicked.

From a store's log: events whose signal waits for an answer and that say how they were shown, and
the clicks with the same user, recommendation and item, whichever came first. Or from a file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penchant.domain.errors import ConfigError
from penchant.domain.types import Event
from penchant.offline.tables.cells import BadRow, number_of, time_us_of
from penchant.offline.tables.files import Row, Table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MAX_POSITION = 1000
"""A larger number in a column of places is taken for a mistake."""


@dataclass(frozen=True, slots=True)
class Shown:
    """n impressions in time order."""

    score: Floats
    """As the ranking had it, shape (n,)."""
    position: Ints
    """1 at the top, shape (n,)."""
    clicked: Floats
    """0 or 1, shape (n,)."""
    left_out: Counter[str]
    """What is not here, by reason."""

    def part(self, start: int, end: int) -> Shown:
        """Those from `start` on, before `end`."""
        rows = slice(start, end)
        return Shown(self.score[rows], self.position[rows], self.clicked[rows], Counter())


def from_events(events: Iterable[Event], click: str = "click") -> Shown:
    """The impressions of a log.

    Args:
        events: in any order.
        click: the signal that answers.

    Raises:
        ConfigError: no impression says how it was shown.

    >>> from penchant.domain.types import Shown as HowShown
    >>> how = HowShown(position=2, score=0.4)
    >>> log = [
    ...     Event("a", "ann", "tent", "click", None, 9, "r1"),
    ...     Event("b", "ann", "tent", "impression", None, 5, "r1", shown=how),
    ... ]
    >>> from_events(log).clicked.tolist()
    [1.0]
    """
    impressions: list[Event] = []
    clicked: set[tuple[str, str, str]] = set()
    left_out: Counter[str] = Counter()
    for event in events:
        if event.signal == click and event.recommendation_id:
            clicked.add(_key(event))
        elif event.shown is not None:
            if event.shown.position and event.recommendation_id:
                impressions.append(event)
            else:
                left_out["impressions without a place or a recommendation"] += 1
    rows = sorted(
        (event.occurred_at_us, event.shown.score, event.shown.position, _key(event) in clicked)
        for event in impressions
        if event.shown is not None
    )
    return _shown(rows, left_out, "no impression in the log says how it was shown")


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of a file's columns."""

    score: str = "score"
    position: str = "position"
    click: str = "click"
    at: str = ""
    """When: ISO 8601 or epoch seconds; empty: the rows are in time order."""


def from_table(table: Table, columns: Columns) -> Shown:
    """The impressions of a file; rows that can't be used are counted.

    Raises:
        ConfigError: no row can be used.
    """
    rows: list[tuple[int, float, int, bool]] = []
    left_out: Counter[str] = Counter()
    for row in table.rows():
        try:
            rows.append(_read(row, columns))
        except BadRow as error:
            left_out[str(error)] += 1
    if columns.at:
        rows.sort(key=lambda one: one[0])
    why = left_out.most_common(1)[0][0] if left_out else "the file is empty"
    return _shown(rows, left_out, f"no row can be used: {why}")


def _shown(rows: list[tuple[int, float, int, bool]], left_out: Counter[str], none: str) -> Shown:
    if not rows:
        raise ConfigError(f"impressions: {none}")
    _, scores, positions, clicks = zip(*rows, strict=True)
    return Shown(
        np.array(scores, np.float64),
        np.array(positions, np.int64),
        np.array(clicks, np.float64),
        left_out,
    )


def _key(event: Event) -> tuple[str, str, str]:
    return event.user, event.recommendation_id, event.item


def _read(row: Row, columns: Columns) -> tuple[int, float, int, bool]:
    if row.fault:
        raise BadRow(row.fault)
    click = _number(row, columns.click)
    if click not in (0, 1):
        raise BadRow(f"{columns.click}: got {click}, expected 0 or 1")
    position = _number(row, columns.position)
    if not (position.is_integer() and 1 <= position <= MAX_POSITION):
        raise BadRow(f"{columns.position}: got {position}, expected 1 to {MAX_POSITION}")
    at_us = time_us_of(_cell(row, columns.at), "s") if columns.at else row.number
    return at_us, _number(row, columns.score), int(position), bool(click)


def _cell(row: Row, column: str) -> Any:
    if column not in row.values:
        raise BadRow(f"no column {column!r}; there are {', '.join(map(str, row.values))[:200]}")
    return row.values[column]


def _number(row: Row, column: str) -> float:
    cell = _cell(row, column)
    number = number_of(float(cell) if isinstance(cell, bool) else cell)
    if number is None:
        raise BadRow(f"{column}: missing")
    return number
