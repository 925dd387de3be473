"""Exploration policies: three ways for a ranking to show items other than the best.

>>> PlackettLuce(temperature=0.5)
PlackettLuce(temperature=0.5)
>>> EpsilonGreedy(epsilon=1.5)
Traceback (most recent call last):
penchant_sdk.errors.InvalidRequest: epsilon: got 1.5, expected 0 to 1
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from penchant_sdk._arguments import real
from penchant_sdk.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class PlackettLuce:
    """Fills each position in proportion to exp(score / temperature); propensities are exact."""

    temperature: float
    """Temperature in units of the score, 1e-6 or more. Higher explores more."""

    def __post_init__(self) -> None:
        if not 1e-6 <= real("temperature", self.temperature) < math.inf:
            raise InvalidRequest(f"temperature: got {self.temperature}, expected 1e-6 or more")


@dataclass(frozen=True, slots=True)
class EpsilonGreedy:
    """Fills each position at random with probability epsilon; propensities are exact."""

    epsilon: float
    """Probability of a random item, 0 to 1."""

    def __post_init__(self) -> None:
        if not 0 <= real("epsilon", self.epsilon) <= 1:
            raise InvalidRequest(f"epsilon: got {self.epsilon}, expected 0 to 1")


@dataclass(frozen=True, slots=True)
class Thompson:
    """Samples the user's interest from its posterior (Thompson); propensities are estimates."""

    scale: float = 1.0
    """Factor on the posterior's standard deviations, more than 0, at most 1,000."""

    def __post_init__(self) -> None:
        if not 0 < real("scale", self.scale) <= 1000:
            raise InvalidRequest(f"scale: got {self.scale}, expected more than 0, at most 1,000")


Exploration = PlackettLuce | EpsilonGreedy | Thompson
"""Type of the argument `explore` of `rank`."""
