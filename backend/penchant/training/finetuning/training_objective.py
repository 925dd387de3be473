"""The objective of a training step."""

from __future__ import annotations

from dataclasses import dataclass

NEXT_ITEM, RATING, CLASS = OBJECTIVES = ("next-item", "rating", "class")


@dataclass(frozen=True, slots=True)
class TrainingObjective:
    """A loss of `losses` and its parameters."""

    name: str = NEXT_ITEM
    """`next-item` (equations 1 and 2), `rating` or `class` (equation 3)."""
    temperature: float = 0.25
    """Above 0; unused by `rating`."""
    popularity_correction: float = 0.0
    """c of equation 2, 0 to 1."""
