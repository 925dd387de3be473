"""One candidate on one log: estimates, the logging policy's own mean, diagnostics, warnings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penchant.domain.arrays import Float64
from penchant.domain.errors import ConfigError
from penchant.evaluation.ope import estimators
from penchant.evaluation.ope.diagnostics import Diagnostics, diagnose, warnings_of
from penchant.evaluation.ope.estimators import Terms
from penchant.evaluation.ope.intervals import Estimate, interval
from penchant.evaluation.ope.logged_impressions import Impressions


@dataclass(frozen=True, slots=True)
class Settings:
    """How to estimate."""

    clip: float | None = None
    """The largest weight of IPS and SNIPS; None: no limit."""
    tau: float = 10.0
    """Switch-DR leaves larger weights to the model."""
    level: float = 0.95

    def __post_init__(self) -> None:
        if self.clip is not None and not self.clip > 0:
            raise ConfigError(f"--clip: got {self.clip}, expected a number above 0")
        if not self.tau >= 0:
            raise ConfigError(f"--tau: got {self.tau}, expected a number from 0")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate's probabilities of a log's rows."""

    name: str
    shown: Float64
    """Of the action shown, shape (n,)."""
    everywhere: Float64 | None = None
    """Of all actions, shape (n, actions); None: unknown, and so are DM, DR and switch-DR."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found."""

    candidate: str
    logging: Estimate
    estimates: Mapping[str, Estimate]
    by_position: Mapping[str, Mapping[str, Estimate]]
    """By slot; the logging policy's under "logging". Empty where the log has one slot."""
    diagnostics: Diagnostics
    warnings: list[str]
    clustered_by: str
    """user or row."""


def candidate_of(name: str, log: Impressions, everywhere: Float64) -> Candidate:
    """A candidate whose probabilities of all actions are known."""
    return Candidate(name, everywhere[np.arange(len(log.action)), log.action], everywhere)


def evaluate(
    log: Impressions, candidate: Candidate, q: Float64 | None, settings: Settings
) -> Outcome:
    """Estimates a candidate's mean reward an impression.

    Args:
        log: n impressions.
        candidate: Its probabilities.
        q: The cross-fitted reward model, shape (n, actions); needed with `everywhere`.
        settings: How.
    """
    weight = estimators.weights(candidate.shown, log.propensity)
    terms = _terms(log, candidate, q, settings)
    logging = Terms(log.reward, np.ones_like(log.reward))
    everyone = np.ones(len(log.reward), dtype=bool)

    def estimate(one: Terms, rows: NDArray[np.bool_]) -> Estimate:
        part = Terms(one.numerator[rows], one.denominator[rows])
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
    seen = diagnose(
        log.reward,
        weight,
        log.propensity,
        unseen_mass=0.0 if mass is None else float(mass[:, unseen].sum(axis=1).mean()),
        left_out=log.left_out.total(),
    )
    return Outcome(
        candidate=candidate.name,
        logging=estimate(logging, everyone),
        estimates={name: estimate(one, everyone) for name, one in terms.items()},
        by_position=by_position,
        diagnostics=seen,
        warnings=warnings_of(seen),
        clustered_by="user" if log.by_user else "row",
    )


def _terms(
    log: Impressions, candidate: Candidate, q: Float64 | None, settings: Settings
) -> dict[str, Terms]:
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
