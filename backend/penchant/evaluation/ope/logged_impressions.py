"""Logged impressions: rows of a file to arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter

from penchant.domain.arrays import Float64, Int64
from penchant.domain.errors import ConfigError
from penchant.logs.cell_arrays import numbers_of, texts_of
from penchant.logs.found_columns import columns_of, way_to
from penchant.logs.known_columns import known_column
from penchant.logs.lost_ids import refuse_lost_ids
from penchant.logs.refusals import LeftOut, Refusals
from penchant.logs.row_batch import RowBatch, python_cells
from penchant.logs.row_fields import (
    ids_in,
    refuse_far_numbers,
    required_cells,
    required_ids,
    required_numbers,
)
from penchant.logs.table_file import TableFile
from penchant.system.option_types import Repeated

LEAST_PROPENSITY = 1e-12
"""Smallest propensity of an impression; the weight of a smaller one would decide alone."""

MAX_CATEGORIES = 50
"""Values of a text column of the context that get a feature each: the commonest."""


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

    def found_in(self, names: Collection[str]) -> ImpressionColumns:
        """Returns the columns to read in a file with these column names.

        Raises:
            ConfigError: several columns could be the same one.

        >>> ImpressionColumns().found_in(["item_id", "click", "pscore"]).propensity
        'pscore'
        """

        def found(column: str, field: str, option: str) -> str:
            return known_column(field, names, option) if column == field else column

        return replace(
            self,
            action=found(self.action, "item", "--item-column"),
            reward=found(self.reward, "reward", "--reward-column"),
            propensity=found(self.propensity, "propensity", "--propensity-column"),
        )

    def missing_in(self, names: Collection[str]) -> dict[str, str]:
        """Returns the columns that a file must have and lacks, by field, with a way out of it."""
        wanted = [
            ("item", self.action, "item", "--item-column"),
            ("reward", self.reward, "reward", "--reward-column"),
            ("propensity", self.propensity, "propensity", "--propensity-column"),
            ("position", self.position, "", "--position-column"),
            ("user", self.user, "", "--user-column"),
            ("candidate", self.candidate, "", "--candidate-column"),
            ("impression", self.impression, "", "--impression-column"),
            *(("context", name, "", "--context") for name in self.context),
        ]
        return {
            field: way_to(column, default, option, names)
            for field, column, default, option in wanted
            if column and column not in names
        }


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
    """Probability of the action shown under the logging policy, in [1e-12, 1], shape (n,)."""
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
    """Rows that could not be used, by reason and first case."""


@dataclass(frozen=True, slots=True)
class _Part:
    """The usable rows of a batch, by column; m of them."""

    action: list[str]
    reward: Float64
    propensity: Float64
    position: list[str]
    user: list[str]
    candidate: Float64
    impression: list[str]
    context: tuple[list[Any], ...]
    """Cells of each column of the context."""


def read_impressions(table: TableFile, columns: ImpressionColumns) -> LoggedImpressions:
    """Reads all rows; those without a usable reward or propensity are counted and left out.

    Raises:
        ConfigError: no row is usable; the message says what was wrong with most.
    """
    parts: list[_Part] = []
    left_out = LeftOut()
    columns = columns_of(table, columns)
    for batch in table.batches():
        refusals = Refusals(batch)
        parts.append(_read(batch, columns, refusals))
        left_out.add_by_reason(batch, refusals)
    if not any(part.action for part in parts):
        raise ConfigError(f"impressions: no row can be used: {left_out.commonest()}")
    actions, action = _codes(_joined(part.action for part in parts))
    positions, position = _codes(_joined(part.position for part in parts))
    users = _joined(part.user for part in parts)
    _, cluster = _codes([user or f"\0{number}" for number, user in enumerate(users)])
    impressions = _joined(part.impression for part in parts)
    candidate = np.concatenate([part.candidate for part in parts])
    context = [
        _joined(part.context[column] for part in parts) for column in range(len(columns.context))
    ]
    return LoggedImpressions(
        actions=actions,
        action=action,
        reward=np.concatenate([part.reward for part in parts]),
        propensity=np.concatenate([part.propensity for part in parts]),
        positions=positions,
        position=position,
        cluster=cluster,
        by_user=bool(columns.user),
        candidate=candidate if columns.candidate else None,
        impression=tuple(impressions) if columns.impression else (),
        context=_features(context, len(action)),
        left_out=left_out.by_reason(),
    )


def _joined(parts: Iterable[list[Any]]) -> list[Any]:
    return [cell for part in parts for cell in part]


def _read(batch: RowBatch, columns: ImpressionColumns, refusals: Refusals) -> _Part:
    action = required_ids(batch, columns.action, "item", refusals)
    refuse_lost_ids(action, batch, columns.action, refusals)
    reward = required_numbers(batch, columns.reward, refusals)
    propensity = _probability(batch, columns.propensity, refusals, zero=False)

    def texts(column: str) -> list[str]:
        if not column:
            return [""] * len(batch)
        required_cells(batch, column, refusals)
        ids = ids_in(batch, column, refusals)
        refuse_lost_ids(ids, batch, column, refusals)
        return ids.to_list()

    position, user = texts(columns.position), texts(columns.user)
    candidate = np.zeros(len(batch))
    if columns.candidate:
        candidate = _probability(batch, columns.candidate, refusals, zero=True)
    impression = texts(columns.impression)
    context = [_context(batch, name, refusals) for name in columns.context]
    kept = np.flatnonzero(~refusals.mask)

    def picked(cells: list[Any]) -> list[Any]:
        return [cells[at] for at in kept.tolist()]

    return _Part(
        action=action.take(kept).to_list(),
        reward=reward[kept],
        propensity=propensity[kept],
        position=picked(position),
        user=picked(user),
        candidate=candidate[kept],
        impression=picked(impression),
        context=tuple(map(picked, context)),
    )


def _probability(batch: RowBatch, column: str, refusals: Refusals, *, zero: bool) -> Float64:
    number = required_numbers(batch, column, refusals)
    wrong = (number > 1) | (number < 0) | ((number == 0) & (not zero))
    refusals.refuse(wrong, f"{column}: not in {'[' if zero else '('}0, 1]", column)
    if not zero:
        refusals.refuse(number < LEAST_PROPENSITY, f"{column}: below {LEAST_PROPENSITY:g}", column)
    return number


def _context(batch: RowBatch, column: str, refusals: Refusals) -> list[Any]:
    cells = required_cells(batch, column, refusals)
    refuse_far_numbers(numbers_of(cells).value, column, refusals)
    return python_cells(cells)


def _codes(texts: Sequence[str]) -> tuple[tuple[str, ...], Int64]:
    known = sorted(set(texts))
    code = {text: number for number, text in enumerate(known)}
    return tuple(known), np.array([code[text] for text in texts], dtype=np.int64)


def _features(columns: Sequence[list[Any]], rows: int) -> Float64:
    parts: list[Float64] = [np.empty((rows, 0))]
    for cells in columns:
        numbers = numbers_of(cells)
        if numbers.wrong.any():
            texts = np.array(texts_of(cells).to_list())
            counts = Counter(texts.tolist())
            common = sorted(counts, key=lambda text: (-counts[text], text))[:MAX_CATEGORIES]
            parts.append((texts[:, None] == np.array(common)[None, :]).astype(np.float64))
            continue
        value = numbers.value
        mean = np.nanmean(value) if np.isfinite(value).any() else 0.0
        filled = np.where(np.isnan(value), mean, value)
        parts.append(((filled - mean) / (filled.std() or 1.0))[:, None])
    return np.hstack(parts)
