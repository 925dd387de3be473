"""A search for the weights of a sum of parts that rank held-out items best, by NDCG@10 itself.

Each part may come in several variants, such as half-lives. The search changes one part at a time,
its variant and its weight together, as long as the value grows:

    value = NDCG@10 - caution s (|w - w_0| + 0.4 changed variants)

w are the parts' shares of the total weight, w_0 those of a prior, and s is the standard error of
the prior's NDCG: few rankings are no reason to leave the prior, many are, if they say so.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from penchant.domain.arrays import Float32, Float64, Int64, Mask

TOP = 10
"""Ranks that count."""

CAUTION = 5.0
"""Standard errors that a move of all weight costs by default; chosen on the first parts of two film
logs."""

_VARIANT_CAUTION = 0.4

_STEPS = (4.0, 2.0, 1.4)
_SEEDS = (0.05, 0.15, 0.4)
"""Shares of the total weight that a part without weight is tried with."""

_ROUNDS = 4
"""Rounds over all parts at each step, at most."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the score for n rankings of up to c candidates."""

    name: str
    variants: tuple[Float32, ...]
    """Values of the part, shape (n, c) each."""
    tied: str = ""
    """Parts with the same word here change their variant together; empty: none."""


@dataclass(frozen=True, slots=True)
class Rankings:
    """n rankings with one item each that was chosen."""

    parts: tuple[Part, ...]
    chosen: Int64
    """Place of the chosen item among the candidates, shape (n,)."""
    candidate: Mask
    """False for padding, shape (n, c)."""
    gain: Float64
    """How much each ranking counts, shape (n,)."""

    def taken(self, rows: slice) -> Rankings:
        """Some of the rankings."""
        parts = tuple(
            replace(part, variants=tuple(values[rows] for values in part.variants))
            for part in self.parts
        )
        return Rankings(parts, self.chosen[rows], self.candidate[rows], self.gain[rows])


@dataclass(frozen=True, slots=True)
class Weighting:
    """A point of the search."""

    weights: Float64
    """Weight of each part, 0 or more, shape (parts,)."""
    variants: tuple[int, ...]
    """The variant of each part."""


class DirectSearch:
    """Scores weightings on held-out rankings, and improves them."""

    def __init__(self, rankings: Rankings, prior: Weighting, caution: float = CAUTION) -> None:
        rows = np.arange(len(rankings.chosen))
        self._gain = rankings.gain / rankings.gain.sum()
        self._parts = [
            [values - values[rows, rankings.chosen][:, None] for values in part.variants]
            for part in rankings.parts
        ]
        self._tied = [part.tied or part.name for part in rankings.parts]
        rivals = rankings.candidate.copy()
        rivals[rows, rankings.chosen] = False
        self._absent = np.where(rivals, np.float32(0.0), np.float32(-np.inf))
        self.prior = Weighting(prior.weights / prior.weights.sum(), prior.variants)
        of_each = self.ndcg_of_each(prior) * len(rows)
        self._caution = float(caution * of_each.std() / np.sqrt(len(rows)))

    def ndcg_of_each(self, point: Weighting) -> Float64:
        """The gain-weighted NDCG of each ranking; the sum is the mean, shape (n,)."""
        return self._ndcg(self._total(point))

    def ndcg(self, point: Weighting) -> float:
        """Mean NDCG@10 over the rankings, weighted by their gain."""
        return float(self.ndcg_of_each(point).sum())

    def value(self, point: Weighting) -> float:
        """NDCG less the price of the distance from the prior."""
        return float(self.ndcg(point) - self._price(point))

    def _price(self, point: Weighting) -> float:
        shares = point.weights / max(float(point.weights.sum()), 1e-300)
        pairs = zip(self._tied, point.variants, self.prior.variants, strict=True)
        changed = {of for of, variant, kept in pairs if variant != kept}
        moved = float(np.abs(shares - self.prior.weights).sum())
        return self._caution * (moved + _VARIANT_CAUTION * len(changed))

    def improve(self, start: Weighting, kept: Collection[int] = ()) -> Weighting:
        """Climbs from a point to a local optimum. Deterministic.

        Args:
            start: the point.
            kept: places of parts whose own weight and variant are not changed.
        """
        point, best = start, self.value(start)
        changed = [part for part in range(len(self._parts)) if part not in kept]
        for step in _STEPS:
            for _ in range(_ROUNDS):
                before = best
                for part in changed:
                    point, best = self._better(point, best, part, step)
                if best <= before + 1e-6:
                    break
        return point

    def _better(
        self, point: Weighting, best: float, part: int, step: float
    ) -> tuple[Weighting, float]:
        now = float(point.weights[part])
        total = float(point.weights.sum())
        tried = (0.0, now / step, now, now * step) if now else [total * seed for seed in _SEEDS]
        without = point.weights.copy()
        without[part] = 0.0
        before = point
        for variant, values in enumerate(self._parts[part]):
            variants = self._turned(before, part, variant).variants
            rest = self._total(Weighting(without, variants))
            for weight in tried:
                weights = without.copy()
                weights[part] = weight
                if not weights.any():
                    continue
                tested = Weighting(weights, variants)
                found = float(self._ndcg(rest + np.float32(weight) * values).sum())
                found -= self._price(tested)
                if found > best + 1e-6:
                    best, point = found, tested
        return point, best

    def _turned(self, point: Weighting, part: int, variant: int) -> Weighting:
        """The point with another variant of a part, and of those that are tied to it."""
        tied = self._tied[part]
        return Weighting(
            point.weights,
            tuple(
                variant if of == tied else kept
                for of, kept in zip(self._tied, point.variants, strict=True)
            ),
        )

    def _total(self, point: Weighting) -> Float32:
        total = self._absent.copy()
        for values, weight, variant in zip(
            self._parts, point.weights.tolist(), point.variants, strict=True
        ):
            if weight:
                total += np.float32(weight) * values[variant]
        return total

    def _ndcg(self, lead: Float32) -> Float64:
        """NDCG of each ranking from the lead of each rival, where equal ones share their ranks."""
        rank = 1 + (lead > 0).sum(axis=1) + (lead == 0).sum(axis=1) / 2
        found: Float64 = np.where(rank <= TOP, self._gain / np.log2(1 + rank), 0.0)
        return found
