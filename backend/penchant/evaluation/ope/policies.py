"""A candidate by its name or file, with the cross-fitted reward model that judges it."""

from __future__ import annotations

from dataclasses import dataclass

from penchant.domain.arrays import Float64, Int64
from penchant.domain.errors import ConfigError
from penchant.evaluation.ope import candidates
from penchant.evaluation.ope.candidates import POLICIES, Probabilities
from penchant.evaluation.ope.logged_impressions import Impressions
from penchant.evaluation.ope.off_policy import Candidate, candidate_of

MAX_CELLS = 50_000_000
"""Rows times actions that are held at once, 8 bytes each, in each of a few matrices."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """How the reward model is fitted."""

    folds: int = 5
    seed: int = 1
    temperature: float = 0.01
    """Of the policy softmax, in units of the reward."""


def from_column(log: Impressions) -> Candidate:
    """The candidate whose probabilities of the actions shown are in the log.

    Raises:
        ConfigError: the log holds none.
    """
    if log.candidate is None:
        raise ConfigError("candidate: the log was read without a column of its probabilities")
    return Candidate("column", log.candidate)


def from_policy(log: Impressions, name: str, fitting: Fitting) -> tuple[Candidate, Float64]:
    """One of POLICIES, and the reward model, shape (n, actions).

    Raises:
        ConfigError: the name is unknown, or scikit-learn is missing.
    """
    if name not in POLICIES:
        raise ConfigError(f"--policy: got {name!r}, expected one of {', '.join(POLICIES)}")
    q, fold = _fitted(log, fitting)
    if name == "uniform":
        everywhere = candidates.uniform(log)
    elif name == "popularity":
        everywhere = candidates.popularity(log, fold)
    else:
        everywhere = candidates.by_softmax(q, fitting.temperature)
    return candidate_of(name, log, everywhere), q


def from_file(
    log: Impressions, found: Probabilities, fitting: Fitting
) -> tuple[Impressions, Candidate, Float64]:
    """The candidate of a file; the log comes back with the file's actions in it."""
    log = candidates.with_actions(log, found)
    _check_size(log)
    everywhere = candidates.spread(log, found)
    q, _ = _fitted(log, fitting)
    return log, candidate_of("file", log, everywhere), q


def _fitted(log: Impressions, fitting: Fitting) -> tuple[Float64, Int64]:
    _check_size(log)
    try:
        from penchant.evaluation.ope.reward_model import cross_fit, folds_of
    except ModuleNotFoundError as error:
        raise ConfigError(
            "reward model: scikit-learn is missing; pip install 'penchant[ope]', or judge a "
            "--candidate-column, which needs no model"
        ) from error
    clusters = int(log.cluster.max()) + 1
    if clusters < fitting.folds:
        raise ConfigError(
            f"impressions: {clusters} {'users' if log.by_user else 'rows'} are fewer than "
            f"{fitting.folds} folds; name fewer --folds, or take a longer log"
        )
    fold = folds_of(log.cluster, fitting.folds, fitting.seed)
    return cross_fit(log, fold), fold


def _check_size(log: Impressions) -> None:
    rows, actions = len(log.action), len(log.actions)
    if rows * actions > MAX_CELLS:
        raise ConfigError(
            f"impressions: {rows} rows of {actions} actions are more than {MAX_CELLS} cells; take "
            "a sample of the rows, or judge a --candidate-column, which needs no matrix"
        )
