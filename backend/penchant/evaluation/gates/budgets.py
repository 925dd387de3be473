"""How much a candidate may lose, and how much data a judgement needs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from penchant.domain.errors import ConfigError
from penchant.system.option_types import Share

LOSS_GROUP = "What may be lost, of the baseline's figure"
"""The heading of these options in the help of a command."""


@dataclass(frozen=True, slots=True)
class Budgets:
    """Allowed losses as shares of the baseline's figure: 0.01 is one percent of it.

    >>> Budgets(overall=-0.1)
    Traceback (most recent call last):
    ...
    penchant.domain.errors.ConfigError: overall: got -0.1, expected 0 to below 1
    """

    overall: Annotated[Share, Parameter(name="--max-loss", group=LOSS_GROUP)] = 0.01
    """Over all rankings, 0 to below 1."""
    cohort: Annotated[Share, Parameter(name="--max-cohort-loss", group=LOSS_GROUP)] = 0.03
    """In each cohort, 0 to below 1."""
    probes: Annotated[Share, Parameter(name="--max-probe-loss", group=LOSS_GROUP)] = 0.03
    """In each probe set, 0 to below 1."""
    robustness: Annotated[Share, Parameter(name="--max-robustness-loss", group=LOSS_GROUP)] = 0.03
    """To careless texts, beyond the baseline's loss to them, 0 to below 1."""
    min_rankings: Annotated[int, Parameter(group=LOSS_GROUP)] = 100
    """Rankings that a cohort needs to be judged, 1 or more."""
    min_users: Annotated[int, Parameter(group=LOSS_GROUP)] = 20
    """Users that a cohort needs to be judged, 2 or more."""

    def __post_init__(self) -> None:
        for name in ("overall", "cohort", "probes", "robustness"):
            value = getattr(self, name)
            if not (0 <= value < 1 and math.isfinite(value)):
                raise ConfigError(f"{name}: got {value}, expected 0 to below 1")
        for name, least in (("min_rankings", 1), ("min_users", 2)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name}: got {getattr(self, name)}, expected {least} or more")
