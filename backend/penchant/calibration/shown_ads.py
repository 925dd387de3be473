"""Impressions that were shown with a score at a place, and which of them were clicked.

From a store's log, or from a file such as `penchant impressions` writes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from penchant.domain.arrays import Float64, Int64
from penchant.domain.errors import ConfigError
from penchant.logs.impressions import Impression
from penchant.logs.tables.cells import BadRow, time_us_of
from penchant.logs.tables.columns import cell_at, number_at
from penchant.logs.tables.files import Row, Table

MAX_POSITION = 1000
"""A larger number in a column of places is taken for a mistake."""


@dataclass(frozen=True, slots=True)
class Shown:
    """n impressions in time order."""

    score: Float64
    """As the ranking had it, shape (n,)."""
    position: Int64
    """1 at the top, shape (n,)."""
    clicked: Float64
    """0 or 1, shape (n,)."""
    left_out: Counter[str]
    """What is not here, by reason."""

    def part(self, start: int, end: int) -> Shown:
        """Those from `start` on, before `end`."""
        rows = slice(start, end)
        return Shown(self.score[rows], self.position[rows], self.clicked[rows], Counter())


def from_impressions(impressions: Iterable[Impression], click: str = "click") -> Shown:
    """The impressions of a log that say how they were shown.

    Args:
        impressions: in any order.
        click: the signal that answers.

    Raises:
        ConfigError: none of them says how it was shown.

    >>> from penchant.domain.types import Event, Exposure
    >>> exposure = Exposure(position=2, score=0.4)
    >>> seen = Event("b", "ann", "tent", "impression", None, 5, "r1", exposure=exposure)
    >>> clicked = Event("a", "ann", "tent", "click", None, 9, "r1")
    >>> from_impressions([Impression(seen, (clicked,))]).clicked.tolist()
    [1.0]
    """
    rows: list[tuple[int, float, int, bool]] = []
    left_out: Counter[str] = Counter()
    for one in impressions:
        exposure = one.event.exposure
        if exposure is None or not exposure.position:
            left_out["impressions that don't say at which place"] += 1
            continue
        clicked = bool(one.reward(frozenset({click})))
        rows.append((one.event.occurred_at_us, exposure.score, exposure.position, clicked))
    rows.sort()
    return _shown(rows, left_out, "none in the log says at which place it was shown")


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of a file's columns."""

    score: str = "score"
    position: str = "position"
    click: str = "reward"
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


def _read(row: Row, columns: Columns) -> tuple[int, float, int, bool]:
    if row.fault:
        raise BadRow(row.fault)
    click = number_at(row, columns.click)
    if click not in (0, 1):
        raise BadRow(f"{columns.click}: got {click}, expected 0 or 1")
    position = number_at(row, columns.position)
    if not (position.is_integer() and 1 <= position <= MAX_POSITION):
        raise BadRow(f"{columns.position}: got {position}, expected 1 to {MAX_POSITION}")
    at_us = time_us_of(cell_at(row, columns.at), "s") if columns.at else row.number
    return at_us, number_at(row, columns.score), int(position), bool(click)
