"""Makes a candidate policy from a name, a file or a column, with the reward model to judge it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from penchant.domain.arrays import Float64, Int64
from penchant.domain.errors import ConfigError
from penchant.evaluation.ope import action_probabilities
from penchant.evaluation.ope.action_probabilities import POLICIES, Probabilities
from penchant.evaluation.ope.logged_impressions import LoggedImpressions
from penchant.evaluation.ope.policy_value import CandidatePolicy, candidate_of
from penchant.system.optional_package import needs_extra

MAX_CELLS = 50_000_000
"""Largest number of rows times actions; each of a few matrices takes 8 bytes per cell."""


@dataclass(frozen=True, slots=True)
class RewardModelSettings:
    """Settings of the reward model, and of the policy that is made from it."""

    folds: Annotated[int, Parameter(validator=Number(gte=2))] = 5
    """Folds of the cross-fitted reward model."""
    seed: int = 1
    """Seed of the folds."""
    temperature: float = 0.01
    """Temperature of the policy softmax, in units of the reward."""


def from_column(log: LoggedImpressions) -> CandidatePolicy:
    """Makes the candidate whose probabilities of the actions shown are a column of the log.

    Raises:
        ConfigError: the log was read without such a column.
    """
    if log.candidate is None:
        raise ConfigError("candidate: the log was read without a column of its probabilities")
    return CandidatePolicy("column", log.candidate)


def from_policy(
    log: LoggedImpressions, name: str, settings: RewardModelSettings
) -> tuple[CandidatePolicy, Float64]:
    """Makes one of POLICIES, and the reward model, shape (n, actions).

    Raises:
        ConfigError: the name is unknown, the log is too small or too large, or scikit-learn is
            missing.
    """
    if name not in POLICIES:
        raise ConfigError(f"--policy: got {name!r}, expected one of {', '.join(POLICIES)}")
    q, fold = _fitted(log, settings)
    if name == "uniform":
        everywhere = action_probabilities.uniform(log)
    elif name == "popularity":
        everywhere = action_probabilities.popularity(log, fold)
    else:
        everywhere = action_probabilities.by_softmax(q, settings.temperature)
    return candidate_of(name, log, everywhere), q


def from_file(
    log: LoggedImpressions, found: Probabilities, settings: RewardModelSettings
) -> tuple[LoggedImpressions, CandidatePolicy, Float64]:
    """Makes the candidate of a file of probabilities.

    Returns:
        The log with the file's actions added, the candidate, and the reward model, shape
        (n, actions).

    Raises:
        ConfigError: the probabilities do not fit the log, the log is too small or too large, or
            scikit-learn is missing.
    """
    log = action_probabilities.with_actions(log, found)
    _check_size(log)
    everywhere = action_probabilities.spread(log, found)
    q, _ = _fitted(log, settings)
    return log, candidate_of("file", log, everywhere), q


def _fitted(log: LoggedImpressions, settings: RewardModelSettings) -> tuple[Float64, Int64]:
    """Fits the reward model; gives its rewards and the fold of each row."""
    _check_size(log)
    with needs_extra("reward model", "ope"):
        from penchant.evaluation.ope.reward_model import cross_fit, folds_of
    clusters = int(log.cluster.max()) + 1
    if clusters < settings.folds:
        raise ConfigError(
            f"impressions: {clusters} {'users' if log.by_user else 'rows'} are fewer than "
            f"{settings.folds} folds; name fewer --folds, or take a longer log"
        )
    fold = folds_of(log.cluster, settings.folds, settings.seed)
    return cross_fit(log, fold), fold


def _check_size(log: LoggedImpressions) -> None:
    rows, actions = len(log.action), len(log.actions)
    if rows * actions > MAX_CELLS:
        raise ConfigError(
            f"impressions: {rows} rows of {actions} actions are more than {MAX_CELLS} cells; take "
            "a sample of the rows, or judge a --candidate-column, which needs no matrix"
        )
