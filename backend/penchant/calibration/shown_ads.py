"""Ads that were shown with a score at a place, and the clicks on them, as arrays.

They come from a store's log, or from a file such as `penchant impressions` writes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from cyclopts import Parameter

from penchant.domain.arrays import Float64, Int64
from penchant.domain.errors import ConfigError
from penchant.logs.found_columns import columns_of, way_to
from penchant.logs.impressions import AnsweredImpression
from penchant.logs.known_columns import known_column
from penchant.logs.refusals import LeftOut, Refusals
from penchant.logs.row_batch import RowBatch
from penchant.logs.row_fields import FARTHEST_NUMBER, required_numbers, required_times_us
from penchant.logs.table_file import TableFile

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


def from_impressions(impressions: Iterable[AnsweredImpression], click: str = "click") -> ShownAds:
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
    >>> from_impressions([AnsweredImpression(seen, (clicked,))]).clicked.tolist()
    [1.0]
    """
    rows: list[tuple[int, float, int, bool]] = []
    left_out: Counter[str] = Counter()
    for one in impressions:
        exposure = one.event.exposure
        if exposure is None or not exposure.position:
            left_out["impressions that don't say at which place"] += 1
            continue
        if abs(exposure.score) > FARTHEST_NUMBER or exposure.position > MAX_POSITION:
            left_out["impressions with a score or a place that can't be meant"] += 1
            continue
        clicked = bool(one.reward(frozenset({click})))
        rows.append((one.event.occurred_at_us, exposure.score, exposure.position, clicked))
    if not rows:
        raise ConfigError("impressions: none in the log says at which place it was shown")
    rows.sort()
    _, scores, positions, clicks = zip(*rows, strict=True)
    return ShownAds(
        np.array(scores, np.float64),
        np.array(positions, np.int64),
        np.array(clicks, np.float64),
        left_out,
    )


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

    def found_in(self, names: Collection[str]) -> ShownAdColumns:
        """Returns the columns to read in a file with these column names.

        Raises:
            ConfigError: several columns could be the same one.

        >>> ShownAdColumns().found_in(["clicked", "position", "score"]).click
        'clicked'
        """
        if self.click != "reward":
            return self
        return replace(self, click=known_column("reward", names, "--click-column"))

    def missing_in(self, names: Collection[str]) -> dict[str, str]:
        """Returns the columns that a file must have and lacks, by field, with a way out of it."""
        wanted = [
            ("score", self.score, "score", "--score-column"),
            ("position", self.position, "position", "--position-column"),
            ("click", self.click, "reward", "--click-column"),
            ("time", self.at, "", "--time-column"),
        ]
        return {
            field: way_to(column, default, option, names)
            for field, column, default, option in wanted
            if column and column not in names
        }


def from_table(table: TableFile, columns: ShownAdColumns) -> ShownAds:
    """Reads the shown ads of a file; rows that can't be used are counted.

    Raises:
        ConfigError: no row can be used.
    """
    parts: list[ShownAds] = []
    times: list[Int64] = []
    left_out = LeftOut()
    columns = columns_of(table, columns)
    for batch in table.batches():
        part, at_us, refusals = _read(batch, columns)
        left_out.add_by_reason(batch, refusals)
        parts.append(part)
        times.append(at_us)
    score = np.concatenate([np.empty(0), *(part.score for part in parts)])
    position = np.concatenate([np.empty(0, np.int64), *(part.position for part in parts)])
    clicked = np.concatenate([np.empty(0), *(part.clicked for part in parts)])
    if not len(score):
        raise ConfigError(f"impressions: no row can be used: {left_out.commonest()}")
    if columns.at:
        order = np.argsort(np.concatenate(times), kind="stable")
        score, position, clicked = score[order], position[order], clicked[order]
    return ShownAds(score, position, clicked, left_out.by_reason())


def _read(batch: RowBatch, columns: ShownAdColumns) -> tuple[ShownAds, Int64, Refusals]:
    refusals = Refusals(batch)
    click = required_numbers(batch, columns.click, refusals)
    refusals.refuse(~np.isin(click, (0, 1)), f"{columns.click}: expected 0 or 1", columns.click)
    position = required_numbers(batch, columns.position, refusals)
    refusals.refuse(
        ~((position % 1 == 0) & (position >= 1) & (position <= MAX_POSITION)),
        f"{columns.position}: expected 1 to {MAX_POSITION}",
        columns.position,
    )
    at_us = batch.number
    if columns.at:
        at_us = required_times_us(batch, columns.at, "s", refusals)
    score = required_numbers(batch, columns.score, refusals)
    kept = ~refusals.mask
    places = position[kept].astype(np.int64)
    return ShownAds(score[kept], places, click[kept], Counter()), at_us[kept], refusals
