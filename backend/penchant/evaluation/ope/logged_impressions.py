"""Logged impressions: rows of a file to arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from penchant.domain.arrays import Float64, Int64
from penchant.domain.errors import ConfigError
from penchant.logs.tables.cells import BadRow, number_of, text_of
from penchant.logs.tables.columns import cell_at, number_at
from penchant.logs.tables.files import Row, Table

MAX_CATEGORIES = 50
"""Values of a text column of the context that get a feature each: the commonest."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the file's columns; empty: there is none."""

    action: str = "item"
    reward: str = "reward"
    propensity: str = "propensity"
    position: str = ""
    user: str = ""
    candidate: str = ""
    """The candidate's probability of the action shown."""
    impression: str = ""
    """An id, by which a file of probabilities names the row."""
    context: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Impressions:
    """n impressions."""

    actions: tuple[str, ...]
    """Every action by column of the matrices, sorted."""
    action: Int64
    """Shape (n,), into `actions`."""
    reward: Float64
    propensity: Float64
    """Shape (n,), in (0, 1]."""
    positions: tuple[str, ...]
    """Slots, sorted; one that has no name where the log has none."""
    position: Int64
    """Shape (n,), into `positions`."""
    cluster: Int64
    """The user, or the row itself: rows of one cluster may depend on each other."""
    by_user: bool
    candidate: Float64 | None
    """Shape (n,), or None: the log holds no candidate."""
    impression: tuple[str, ...]
    """Ids; empty where the log has none."""
    context: Float64
    """Shape (n, features): numbers standardised, texts as indicators."""
    left_out: Counter[str]
    """Rows that are not here, by reason."""


@dataclass(frozen=True, slots=True)
class _Shown:
    action: str
    reward: float
    propensity: float
    position: str
    user: str
    candidate: float
    impression: str
    context: tuple[Any, ...]


def read_impressions(table: Table, columns: Columns) -> Impressions:
    """Reads all rows; those without a usable reward or propensity are counted and left out.

    Raises:
        ConfigError: no row is usable; the text says what was wrong with most.
    """
    shown: list[_Shown] = []
    left_out: Counter[str] = Counter()
    for row in table.rows():
        try:
            shown.append(_read(row, columns))
        except BadRow as error:
            left_out[str(error)] += 1
    if not shown:
        why = left_out.most_common(1)[0][0] if left_out else "the file is empty"
        raise ConfigError(f"impressions: no row can be used: {why}")
    actions, action = _codes([one.action for one in shown])
    positions, position = _codes([one.position for one in shown])
    _, users = _codes([one.user or f"\0{number}" for number, one in enumerate(shown)])
    return Impressions(
        actions=actions,
        action=action,
        reward=np.array([one.reward for one in shown]),
        propensity=np.array([one.propensity for one in shown]),
        positions=positions,
        position=position,
        cluster=users,
        by_user=bool(columns.user),
        candidate=np.array([one.candidate for one in shown]) if columns.candidate else None,
        impression=tuple(one.impression for one in shown) if columns.impression else (),
        context=_features([one.context for one in shown], len(columns.context)),
        left_out=left_out,
    )


def _read(row: Row, columns: Columns) -> _Shown:
    if row.fault:
        raise BadRow(row.fault)
    action = text_of(cell_at(row, columns.action))
    if not action:
        raise BadRow(f"{columns.action}: missing")
    return _Shown(
        action=action,
        reward=number_at(row, columns.reward),
        propensity=_probability(row, columns.propensity, zero=False),
        position=text_of(cell_at(row, columns.position)) if columns.position else "",
        user=text_of(cell_at(row, columns.user)) if columns.user else "",
        candidate=_probability(row, columns.candidate, zero=True) if columns.candidate else 0.0,
        impression=text_of(cell_at(row, columns.impression)) if columns.impression else "",
        context=tuple(cell_at(row, name) for name in columns.context),
    )


def _probability(row: Row, column: str, *, zero: bool) -> float:
    number = number_at(row, column)
    if number > 1 or number < 0 or (number == 0 and not zero):
        raise BadRow(f"{column}: not in {'[' if zero else '('}0, 1]")
    return number


def _codes(texts: Sequence[str]) -> tuple[tuple[str, ...], Int64]:
    known = sorted(set(texts))
    code = {text: number for number, text in enumerate(known)}
    return tuple(known), np.array([code[text] for text in texts], dtype=np.int64)


def _features(rows: Sequence[tuple[Any, ...]], columns: int) -> Float64:
    parts: list[Float64] = [np.empty((len(rows), 0))]
    for column in range(columns):
        cells = [row[column] for row in rows]
        try:
            numbers = np.array([np.nan if (x := number_of(c)) is None else x for c in cells])
        except BadRow:
            texts = np.array([text_of(cell) for cell in cells])
            counts = Counter(texts.tolist())
            common = sorted(counts, key=lambda text: (-counts[text], text))[:MAX_CATEGORIES]
            parts.append((texts[:, None] == np.array(common)[None, :]).astype(np.float64))
            continue
        mean = np.nanmean(numbers) if np.isfinite(numbers).any() else 0.0
        filled = np.where(np.isnan(numbers), mean, numbers)
        parts.append(((filled - mean) / (filled.std() or 1.0))[:, None])
    return np.hstack(parts)
