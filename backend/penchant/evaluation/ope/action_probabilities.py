"""Probabilities of every action on every row of a log, by a policy or from a file."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import softmax

from penchant.domain.arrays import Float64, Int64
from penchant.domain.errors import ConfigError
from penchant.evaluation.ope.logged_impressions import LoggedImpressions
from penchant.logs.cell_arrays import numbers_of
from penchant.logs.cells import number_of
from penchant.logs.found_columns import columns_of
from penchant.logs.lost_ids import refuse_types
from penchant.logs.refusals import LeftOut, Refusals
from penchant.logs.row_fields import conversion_error, ids_in
from penchant.logs.table_file import TableFile

POLICIES = ("uniform", "popularity", "softmax")
"""Policies that need no file."""
_FAR_FROM_ONE = 0.01


@dataclass(frozen=True, slots=True)
class _ProbabilityColumns:
    """The columns that a file of probabilities must have."""

    def found_in(self, names: Collection[str]) -> _ProbabilityColumns:
        return self

    def missing_in(self, names: Collection[str]) -> dict[str, str]:
        needed = ("action", "probability")
        return {name: "expected under this name" for name in needed if name not in names}


Probabilities = dict[tuple[str, str, str], float]
"""Probabilities by impression, position and action; an empty impression or position means any."""


def uniform(log: LoggedImpressions) -> Float64:
    """Gives every action the same probability, shape (n, actions)."""
    return np.full((len(log.action), len(log.actions)), 1 / len(log.actions))


def popularity(log: LoggedImpressions, fold: Int64) -> Float64:
    """Gives probabilities in proportion to 1 + an action's positive rewards in the other folds.

    The counts depend on the logging policy: an action that it favours is shown more often, and so
    counts more rewards.

    Args:
        log: n impressions.
        fold: fold of each row, shape (n,).

    Returns:
        Shape (n, actions).
    """
    probabilities = np.empty((len(log.action), len(log.actions)))
    for number in np.unique(fold):
        held = fold == number
        counted = ~held & (log.reward > 0)
        counts = 1 + np.bincount(log.action[counted], minlength=len(log.actions))
        probabilities[held] = counts / counts.sum()
    return probabilities


def by_softmax(q: Float64, temperature: float) -> Float64:
    """Computes softmax(q(x, a) / temperature).

    Args:
        q: rewards by the cross-fitted model, shape (n, actions).
        temperature: temperature in units of the reward.

    Returns:
        Shape (n, actions).

    Raises:
        ConfigError: the temperature is not above 0.
    """
    if not temperature > 0:
        raise ConfigError(f"--temperature: got {temperature}, expected a number above 0")
    with np.errstate(over="ignore"):  # Far below the best action, the probability is 0.
        return np.asarray(softmax((q - q.max(axis=1, keepdims=True)) / temperature, axis=1))


def read_probabilities(table: TableFile) -> Probabilities:
    """Reads a file with columns `action`, `probability`, and perhaps `position`, `impression`.

    Raises:
        ConfigError: the file has no such columns or no rows, or a row can't be read.
    """
    found: Probabilities = {}
    columns_of(table, _ProbabilityColumns())
    for batch in table.batches():
        refusals = Refusals(batch)
        number = numbers_of(batch.cells("probability"))
        action = ids_in(batch, "action", refusals)
        for name in ("action", "impression"):
            refuse_types(batch, name, refusals)
        refusals.refuse(number.wrong, conversion_error(batch, "probability", number_of))
        usable = (number.value >= 0) & (number.value <= 1) & action.where(bool)
        refusals.refuse(~usable, "expected an action, and a probability in [0, 1]")
        if refusals.reasons:
            left_out = LeftOut()
            left_out.add_rows("", batch, refusals)
            raise ConfigError(f"--action-probabilities: {left_out.first_case}")
        impression, position = (
            ids_in(batch, name, refusals) for name in ("impression", "position")
        )
        keys = zip(impression.to_list(), position.to_list(), action.to_list(), strict=True)
        found.update(zip(keys, number.value.tolist(), strict=True))
    if not found:
        raise ConfigError("--action-probabilities: the file has no rows")
    return found


def with_actions(log: LoggedImpressions, found: Probabilities) -> LoggedImpressions:
    """Adds to the log the actions of the file that it never shows."""
    actions = tuple(sorted({*log.actions, *(action for _, _, action in found)}))
    code = {action: number for number, action in enumerate(actions)}
    moved = np.array([code[action] for action in log.actions], dtype=np.int64)
    return replace(log, actions=actions, action=moved[log.action])


def spread(log: LoggedImpressions, found: Probabilities) -> Float64:
    """Spreads the file's probabilities over a matrix, shape (n, actions), with rows that sum to 1.

    Raises:
        ConfigError: the probabilities of a row sum to something far from 1, or a row has none.
    """
    code = {action: number for number, action in enumerate(log.actions)}
    tables: dict[tuple[str, str], Float64] = {}
    for (impression, position, action), probability in found.items():
        table = tables.setdefault((impression, position), np.zeros(len(log.actions)))
        table[code[action]] = probability
    for key, table in tables.items():
        if abs(table.sum() - 1) > _FAR_FROM_ONE:
            raise ConfigError(
                f"--action-probabilities: those of impression {key[0] or 'any'}, position "
                f"{key[1] or 'any'} sum to {table.sum():.4f}, expected 1"
            )
        table /= table.sum()
    matrix = np.empty((len(log.action), len(log.actions)))
    for row, place in enumerate(log.position):
        impression = log.impression[row] if log.impression else ""
        position = log.positions[place]
        keys = ((impression, position), (impression, ""), ("", position), ("", ""))
        known = next((tables[key] for key in keys if key in tables), None)
        if known is None:
            raise ConfigError(
                f"--action-probabilities: none for impression {impression or row + 1}, position "
                f"{position or 'any'}"
            )
        matrix[row] = known
    return matrix
