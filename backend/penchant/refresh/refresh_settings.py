"""The numbers of a refresh, with their ranges."""

from __future__ import annotations

import math
from dataclasses import dataclass

from penchant.domain.errors import ConfigError


@dataclass(frozen=True, slots=True)
class RefreshSettings:
    """What a refresh depends on besides events and texts.

    The defaults were chosen on the first 30 % of MovieLens-100K; `docs/adr/0004-residuals.md` says
    how.

    >>> RefreshSettings(window=0)
    Traceback (most recent call last):
    ...
    penchant.domain.errors.ConfigError: window: got 0, expected 1 or more
    """

    window: int = 20
    """w: two likes of a user count as near if at most so many places apart, 1 or more."""
    text_weight: float = 1.0
    """mu: how much the likeness of two texts counts beside co-occurrence, 0 or more."""
    shrinkage: float = 5.0
    """k: likes at which an item's own vector weighs as much as its text's, more than 0."""

    def __post_init__(self) -> None:
        if self.window < 1:
            raise ConfigError(f"window: got {self.window}, expected 1 or more")
        if not 0 <= self.text_weight < math.inf:
            raise ConfigError(f"text_weight: got {self.text_weight}, expected 0 or more")
        if not 0 < self.shrinkage < math.inf:
            raise ConfigError(f"shrinkage: got {self.shrinkage}, expected more than 0")
