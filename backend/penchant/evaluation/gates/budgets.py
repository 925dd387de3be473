"""How much a candidate may lose, and how much must be there to say so."""

from __future__ import annotations

import math
from dataclasses import dataclass

from penchant.domain.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Budgets:
    """Losses as shares of the baseline's figure: 0.01 is one percent of it.

    >>> Budgets(overall=-0.1)
    Traceback (most recent call last):
    ...
    penchant.domain.errors.ConfigError: overall: got -0.1, expected 0 to below 1
    """

    overall: float = 0.01
    """Of all rankings of the validation part, 0 to below 1."""
    cohort: float = 0.03
    """Of each cohort of them, 0 to below 1."""
    probes: float = 0.03
    """Of each frozen probe set, 0 to below 1."""
    robustness: float = 0.03
    """What changed texts may cost the candidate more than the baseline, 0 to below 1."""
    min_rankings: int = 100
    """Fewer are too few to judge, 1 or more."""
    min_users: int = 20
    """The same of the users whose rankings they are, 2 or more."""

    def __post_init__(self) -> None:
        for name in ("overall", "cohort", "probes", "robustness"):
            value = getattr(self, name)
            if not (0 <= value < 1 and math.isfinite(value)):
                raise ConfigError(f"{name}: got {value}, expected 0 to below 1")
        for name, least in (("min_rankings", 1), ("min_users", 2)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name}: got {getattr(self, name)}, expected {least} or more")
