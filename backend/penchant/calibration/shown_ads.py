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
from penchant.logs.impressions import AnsweredImpression
from penchant.logs.refusals import Refusals
from penchant.logs.row_batch import RowBatch
from penchant.logs.row_fields import required_numbers, required_times_us
from penchant.logs.table_file import TableFile

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


def from_impressions(impressions: Iterable[AnsweredImpression], click: str = "click") -> Shown:
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
        clicked = bool(one.reward(frozenset({click})))
        rows.append((one.event.occurred_at_us, exposure.score, exposure.position, clicked))
    if not rows:
        raise ConfigError("impressions: none in the log says at which place it was shown")
    rows.sort()
    _, scores, positions, clicks = zip(*rows, strict=True)
    return Shown(
        np.array(scores, np.float64),
        np.array(positions, np.int64),
        np.array(clicks, np.float64),
        left_out,
    )


@dataclass(frozen=True, slots=True)
class ShownAdColumns:
    """Names of the columns in a file of shown ads."""

    score: str = "score"
    position: str = "position"
    click: str = "reward"
    at: str = ""
    """Column of the time: ISO 8601 or epoch seconds; empty: the rows are in time order."""


def from_table(table: TableFile, columns: ShownAdColumns) -> Shown:
    """Reads the shown ads of a file; rows that can't be used are counted.

    Raises:
        ConfigError: no row can be used.
    """
    parts: list[Shown] = []
    times: list[Int64] = []
    left_out: Counter[str] = Counter()
    for batch in table.batches():
        part, at_us, refusals = _read(batch, columns)
        left_out.update(refusals.reasons.values())
        parts.append(part)
        times.append(at_us)
    score = np.concatenate([np.empty(0), *(part.score for part in parts)])
    position = np.concatenate([np.empty(0, np.int64), *(part.position for part in parts)])
    clicked = np.concatenate([np.empty(0), *(part.clicked for part in parts)])
    if not len(score):
        why = left_out.most_common(1)[0][0] if left_out else "the file is empty"
        raise ConfigError(f"impressions: no row can be used: {why}")
    if columns.at:
        order = np.argsort(np.concatenate(times), kind="stable")
        score, position, clicked = score[order], position[order], clicked[order]
    return Shown(score, position, clicked, left_out)


def _read(batch: RowBatch, columns: ShownAdColumns) -> tuple[Shown, Int64, Refusals]:
    refusals = Refusals(batch)
    click = required_numbers(batch, columns.click, refusals)
    refusals.refuse(
        ~np.isin(click, (0, 1)), lambda at: f"{columns.click}: got {click[at]}, expected 0 or 1"
    )
    position = required_numbers(batch, columns.position, refusals)
    refusals.refuse(
        ~((position % 1 == 0) & (position >= 1) & (position <= MAX_POSITION)),
        lambda at: f"{columns.position}: got {position[at]}, expected 1 to {MAX_POSITION}",
    )
    at_us = batch.number
    if columns.at:
        at_us = required_times_us(batch, columns.at, "s", refusals)
    score = required_numbers(batch, columns.score, refusals)
    kept = ~refusals.mask
    places = position[kept].astype(np.int64)
    return Shown(score[kept], places, click[kept], Counter()), at_us[kept], refusals
