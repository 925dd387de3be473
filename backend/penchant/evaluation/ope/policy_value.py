"""Estimates the value of one candidate policy on one log, beside the logging policy's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from cyclopts import Parameter

from penchant.domain.arrays import Float64, Mask
from penchant.domain.errors import ConfigError
from penchant.evaluation.ope import estimators
from penchant.evaluation.ope.diagnostics import WeightDiagnostics, diagnose, warnings_of
from penchant.evaluation.ope.estimators import RatioTerms
from penchant.evaluation.ope.intervals import PolicyValue, interval
from penchant.evaluation.ope.logged_impressions import LoggedImpressions


@dataclass(frozen=True, slots=True)
class EstimatorSettings:
    """Settings of the estimators.

    Raises:
        ConfigError: one is out of range.
    """

    clip: Annotated[float | None, Parameter(show_default=lambda _: "none")] = None
    """Largest weight of IPS and SNIPS."""
    tau: float = 10
    """Largest weight of switch-DR; rows of larger weight are left to the model."""
    level: Annotated[float, Parameter(parse=False)] = 0.95
    """Confidence level of the intervals, between 0 and 1."""

    def __post_init__(self) -> None:
        if self.clip is not None and not self.clip > 0:
            raise ConfigError(f"--clip: got {self.clip}, expected a number above 0")
        if not self.tau >= 0:
            raise ConfigError(f"--tau: got {self.tau}, expected a number from 0")


@dataclass(frozen=True, slots=True)
class CandidatePolicy:
    """A policy, by its probabilities on the n rows of a log."""

    name: str
    shown: Float64
    """Probability of the action shown, shape (n,)."""
    everywhere: Float64 | None = None
    """Probability of every action, shape (n, actions); DM, DR and switch-DR need it."""


@dataclass(frozen=True, slots=True)
class PolicyEstimates:
    """Values of a candidate and of the logging policy: the mean reward per impression."""

    candidate: str
    """Name of the candidate."""
    logging: PolicyValue
    """Value of the logging policy."""
    estimates: Mapping[str, PolicyValue]
    """Values of the candidate, by estimator."""
    by_position: Mapping[str, Mapping[str, PolicyValue]]
    """Values in each slot, by estimator; those of the logging policy under "logging". Empty for a
    log of one slot."""
    diagnostics: WeightDiagnostics
    warnings: list[str]
    """Reasons why the log can't support the values, a sentence each."""
    clustered_by: str
    """`user` or `row`: the units that the intervals take for independent."""
    left_out_because: Mapping[str, int]
    """Rows that could not be used, by reason."""


def candidate_of(name: str, log: LoggedImpressions, everywhere: Float64) -> CandidatePolicy:
    """Makes a candidate from its probabilities of all actions, shape (n, actions)."""
    return CandidatePolicy(name, everywhere[np.arange(len(log.action)), log.action], everywhere)


def estimate_value(
    log: LoggedImpressions,
    candidate: CandidatePolicy,
    q: Float64 | None,
    settings: EstimatorSettings,
) -> PolicyEstimates:
    """Estimates a candidate's mean reward per impression.

    Args:
        log: n impressions.
        candidate: the candidate's probabilities on these impressions.
        q: rewards by the cross-fitted model, shape (n, actions); needed with
            `candidate.everywhere`.
        settings: settings of the estimators.
    """
    weight = estimators.weights(candidate.shown, log.propensity)
    terms = _terms(log, candidate, q, settings)
    logging = RatioTerms(log.reward, np.ones_like(log.reward))
    everyone = np.ones(len(log.reward), dtype=bool)

    def estimate(one: RatioTerms, rows: Mask) -> PolicyValue:
        part = RatioTerms(one.numerator[rows], one.denominator[rows])
        return interval(part, log.cluster[rows], settings.level)

    by_position = {
        name: {
            key: estimate(one, log.position == place)
            for key, one in {"logging": logging, **terms}.items()
        }
        for place, name in enumerate(log.positions)
        if len(log.positions) > 1
    }
    unseen = np.bincount(log.action, minlength=len(log.actions)) == 0
    mass = candidate.everywhere
    found = diagnose(
        log.reward,
        weight,
        log.propensity,
        unseen_mass=0.0 if mass is None else float(mass[:, unseen].sum(axis=1).mean()),
        left_out=log.left_out.total(),
    )
    return PolicyEstimates(
        candidate=candidate.name,
        logging=estimate(logging, everyone),
        estimates={name: estimate(one, everyone) for name, one in terms.items()},
        by_position=by_position,
        diagnostics=found,
        warnings=warnings_of(found),
        clustered_by="user" if log.by_user else "row",
        left_out_because=dict(log.left_out),
    )


def _terms(
    log: LoggedImpressions,
    candidate: CandidatePolicy,
    q: Float64 | None,
    settings: EstimatorSettings,
) -> dict[str, RatioTerms]:
    clipped = estimators.weights(candidate.shown, log.propensity, settings.clip)
    weight = estimators.weights(candidate.shown, log.propensity)
    terms = {
        "IPS": estimators.ips(log.reward, clipped),
        "SNIPS": estimators.snips(log.reward, clipped),
    }
    mass = candidate.everywhere
    if mass is not None and q is not None:
        terms["DM"] = estimators.dm(mass, q)
        terms["DR"] = estimators.dr(log.reward, weight, log.action, mass, q)
        terms["switch-DR"] = estimators.switch_dr(
            log.reward, weight, log.action, mass, q, settings.tau
        )
    return terms
