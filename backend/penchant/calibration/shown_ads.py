"""Ads that were shown with a score at a place, and the clicks on them, as arrays.

They come from a store's log, or from a file such as `penchant impressions` writes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from cyclopts import Parameter

from penchant.domain.arrays import Float64, Int64
from penchant.domain.errors import ConfigError
from penchant.logs.impressions import Impression
from penchant.logs.tables.cells import BadRow, time_us_of
from penchant.logs.tables.columns import cell_at, number_at
from penchant.logs.tables.files import Row, Table

_FILE = Parameter(group="Columns of the file")

MAX_POSITION = 1000
"""Largest place that is believed; a larger number in the column is taken for a mistake."""


@dataclass(frozen=True, slots=True)
class ShownAds:
    """n impressions in time order."""

    score: Float64
    """Scores in the ranking, shape (n,)."""
    position: Int64
    """Places, 1 at the top, shape (n,)."""
    clicked: Float64
    """1 for a click, else 0, shape (n,)."""
    left_out: Counter[str]
    """Impressions or rows that could not be used, by reason."""

    def part(self, start: int, end: int) -> ShownAds:
        """The impressions from `start` to before `end`."""
        rows = slice(start, end)
        return ShownAds(self.score[rows], self.position[rows], self.clicked[rows], Counter())


def from_impressions(impressions: Iterable[Impression], click: str = "click") -> ShownAds:
    """Takes the impressions of a log that say how they were shown.

    Args:
        impressions: impressions in any order.
        click: signal that counts as a click.

    Raises:
        ConfigError: no impression says how it was shown.

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
class ShownAdColumns:
    """Columns of a file of impressions."""

    score: Annotated[str, Parameter(name="--score-column"), _FILE] = "score"
    """Column of the score."""
    position: Annotated[str, Parameter(name="--position-column"), _FILE] = "position"
    """Column of the place, 1 at the top."""
    click: Annotated[str, Parameter(name="--click-column"), _FILE] = "reward"
    """Column of the click, 0 or 1."""
    at: Annotated[
        str,
        Parameter(name="--time-column", show_default=lambda _: "the rows are in time order"),
        _FILE,
    ] = ""
    """Column of the time: ISO 8601 or epoch seconds."""


def from_table(table: Table, columns: ShownAdColumns) -> ShownAds:
    """Reads the impressions of a file; rows that can't be used are counted.

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


def _shown(rows: list[tuple[int, float, int, bool]], left_out: Counter[str], none: str) -> ShownAds:
    if not rows:
        raise ConfigError(f"impressions: {none}")
    _, scores, positions, clicks = zip(*rows, strict=True)
    return ShownAds(
        np.array(scores, np.float64),
        np.array(positions, np.int64),
        np.array(clicks, np.float64),
        left_out,
    )


def _read(row: Row, columns: ShownAdColumns) -> tuple[int, float, int, bool]:
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
