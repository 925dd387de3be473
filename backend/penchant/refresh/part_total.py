"""The sum of the score's parts under some weights, for all items."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from penchant.domain.types import Vector
from penchant.refresh.held_out import OFFSET


@dataclass(frozen=True, slots=True)
class PartTotal:
    """The sum of the parts."""

    raw: dict[str, float]
    """Weights by part, of the values as they are."""
    variants: dict[str, int]
    """The variant of each part; the first one where it is missing."""

    @property
    def needed(self) -> dict[str, int]:
        """The variant of each part that has a weight, and of the live offset."""
        weighty = {name for name, weight in self.raw.items() if weight} | {OFFSET}
        return {name: self.variants.get(name, 0) for name in sorted(weighty)}

    @property
    def pace(self) -> int:
        """The variant of the live offset."""
        return self.variants.get(OFFSET, 0)

    def of(self, parts: dict[str, list[Vector]], without: Collection[str] = ()) -> Vector:
        """The sum for all items, shape (items,).

        Args:
            parts: the variants of each part, shape (items,) each.
            without: names of parts to leave out.
        """
        total = np.zeros_like(next(iter(parts.values()))[0])
        for name, variants in parts.items():
            if name not in without and self.raw.get(name):
                total += np.float32(self.raw[name]) * variants[self.variants.get(name, 0)]
        return total
