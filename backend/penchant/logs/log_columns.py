"""An event log as columns: the form that fits read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy import floating
from numpy.typing import NDArray

from penchant.domain.types import Rows


@dataclass(frozen=True, slots=True)
class LogColumns:
    """Events as arrays of shape (n,), in any order."""

    user: Rows
    """User numbers, 0 or more."""
    item: Rows
    """Rows of the text vectors."""
    reward: NDArray[floating[Any]]
    """Rewards from -1 to 1; an event with a positive reward is a like."""
    at_us: Rows
    """Event times in microseconds since 1970."""
