"""Settings of a refresh, with their ranges."""

from __future__ import annotations

import math
from dataclasses import dataclass

from penchant.domain.errors import ConfigError


@dataclass(frozen=True, slots=True)
class RefreshSettings:
    """The numbers that a refresh depends on, besides events and texts.

    The defaults were chosen on the first 30 % of MovieLens-100K, as ADR 4 describes.

    >>> RefreshSettings(window=0)
    Traceback (most recent call last):
    ...
    penchant.domain.errors.ConfigError: window: got 0, expected 1 or more
    """

    window: int = 20
    """Largest distance at which two likes of a user count as near, in places; 1 or more."""
    text_weight: float = 1.0
    """Weight of two texts' similarity beside co-occurrence; 0 or more."""
    shrinkage: float = 5.0
    """Likes at which an item's own vector weighs as much as its text; more than 0."""

    def __post_init__(self) -> None:
        if self.window < 1:
            raise ConfigError(f"window: got {self.window}, expected 1 or more")
        if not 0 <= self.text_weight < math.inf:
            raise ConfigError(f"text_weight: got {self.text_weight}, expected 0 or more")
        if not 0 < self.shrinkage < math.inf:
            raise ConfigError(f"shrinkage: got {self.shrinkage}, expected more than 0")
