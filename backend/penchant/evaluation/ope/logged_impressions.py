"""Reads logged impressions from a file into arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter

from penchant.domain.arrays import Float64, Int64
from penchant.domain.errors import ConfigError
from penchant.logs.tables.cells import BadRow, number_of, text_of
from penchant.logs.tables.columns import cell_at, number_at
from penchant.logs.tables.files import Row, Table
from penchant.system.option_types import Repeated

MAX_CATEGORIES = 50
"""Values of a text column of the context, the commonest, that get a feature each."""

_REQUIRED = Parameter(group="Columns")
_OPTIONAL = Parameter(group="Columns", show_default=lambda _: "none")


@dataclass(frozen=True, slots=True)
class ImpressionColumns:
    """Columns of a file of impressions; an empty name means that the file has no such column."""

    action: Annotated[str, Parameter(name="--item-column"), _REQUIRED] = "item"
    """Column of the item or action shown."""
    reward: Annotated[str, Parameter(name="--reward-column"), _REQUIRED] = "reward"
    """Column of the reward."""
    propensity: Annotated[str, Parameter(name="--propensity-column"), _REQUIRED] = "propensity"
    """Column of the logging policy's probability of the action shown."""
    position: Annotated[str, Parameter(name="--position-column"), _OPTIONAL] = ""
    """Column of the slot."""
    user: Annotated[str, Parameter(name="--user-column"), _OPTIONAL] = ""
    """Column of the user, for intervals."""
    candidate: Annotated[str, Parameter(name="--candidate-column"), _OPTIONAL] = ""
    """Column of the candidate's probability of the action shown."""
    impression: Annotated[str, Parameter(name="--impression-column"), _OPTIONAL] = ""
    """Column of the impression's id, by which a file of probabilities names the row."""
    context: Annotated[Repeated, _REQUIRED] = ()
    """Column for the reward model; repeatable."""


@dataclass(frozen=True, slots=True)
class LoggedImpressions:
    """n impressions as arrays."""

    actions: tuple[str, ...]
    """All actions, sorted, in the order of the matrices' columns."""
    action: Int64
    """Action shown, an index of `actions`, shape (n,)."""
    reward: Float64
    """Rewards, shape (n,)."""
    propensity: Float64
    """Probability of the action shown under the logging policy, in (0, 1], shape (n,)."""
    positions: tuple[str, ...]
    """Slots, sorted; a single one without a name if the log names none."""
    position: Int64
    """Slot, an index of `positions`, shape (n,)."""
    cluster: Int64
    """Number of the user, or of the row itself, shape (n,); rows of a cluster may be dependent."""
    by_user: bool
    """Whether clusters are users."""
    candidate: Float64 | None
    """Probability of the action shown under the candidate, shape (n,); None without a column."""
    impression: tuple[str, ...]
    """Ids of the impressions; empty without a column."""
    context: Float64
    """Features, shape (n, features): numbers standardised, texts as indicators."""
    left_out: Counter[str]
    """Rows that could not be used, by reason."""


@dataclass(frozen=True, slots=True)
class _ShownRow:
    action: str
    reward: float
    propensity: float
    position: str
    user: str
    candidate: float
    impression: str
    context: tuple[Any, ...]


def read_impressions(table: Table, columns: ImpressionColumns) -> LoggedImpressions:
    """Reads all rows; those without a usable reward or propensity are counted and left out.

    Raises:
        ConfigError: no row can be used; the text names the most frequent reason.
    """
    shown: list[_ShownRow] = []
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
    return LoggedImpressions(
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


def _read(row: Row, columns: ImpressionColumns) -> _ShownRow:
    if row.fault:
        raise BadRow(row.fault)
    action = text_of(cell_at(row, columns.action))
    if not action:
        raise BadRow(f"{columns.action}: missing")
    return _ShownRow(
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
