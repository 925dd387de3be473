"""How a ranking may try what is not the best: one of three policies.

>>> PlackettLuce(temperature=0.5)
PlackettLuce(temperature=0.5)
>>> EpsilonGreedy(epsilon=1.5)
Traceback (most recent call last):
penchant_sdk.errors.InvalidRequest: epsilon: got 1.5, expected 0 to 1
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from penchant_sdk.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class PlackettLuce:
    """Each place in proportion to exp(score / temperature); exact propensities."""

    temperature: float
    """1e-6 or more, in units of the score; the higher, the more is tried."""

    def __post_init__(self) -> None:
        if not 1e-6 <= self.temperature < math.inf:
            raise InvalidRequest(f"temperature: got {self.temperature}, expected 1e-6 or more")


@dataclass(frozen=True, slots=True)
class EpsilonGreedy:
    """At each place any of the items left with the chance epsilon; exact propensities."""

    epsilon: float
    """0 to 1."""

    def __post_init__(self) -> None:
        if not 0 <= self.epsilon <= 1:
            raise InvalidRequest(f"epsilon: got {self.epsilon}, expected 0 to 1")


@dataclass(frozen=True, slots=True)
class Thompson:
    """Tries what the user's interest is unsure of; estimated propensities."""

    scale: float = 1.0
    """Standard deviations are multiplied by it; more than 0, at most 1,000."""

    def __post_init__(self) -> None:
        if not 0 < self.scale <= 1000:
            raise InvalidRequest(f"scale: got {self.scale}, expected more than 0, at most 1,000")


Exploration = PlackettLuce | EpsilonGreedy | Thompson
"""What `explore` of a ranking takes."""
