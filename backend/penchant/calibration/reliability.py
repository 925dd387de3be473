"""Whether stated chances hold: reliability in bins of equal mass, and what is left by chance.

Naeini, Cooper and Hauskrecht, AAAI 2015; with bins of as many impressions each, since clicks are
rare and chances crowd near 0 (Nixon et al. 2019). Bins are made within each place: over all places
together, a model that knows nothing of places looks calibrated, as its errors cancel out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from penchant.domain.arrays import Float64, Int64

BINS = 10
"""By place; fewer where there are fewer than PER_BIN impressions for each."""
PER_BIN = 100
DRAWS = 200
_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Bin:
    """Impressions at one place with about the same stated chance."""

    position: int
    count: int
    stated: float
    """The mean chance."""
    clicked: float
    """The share that was clicked."""
    low: float
    high: float
    """95 % interval of the share (Wilson)."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far stated chances and clicks are apart."""

    bins: list[Bin]
    ece: float
    """Expected calibration error: the mean distance, by impressions."""
    ece_by_chance: float
    """What it would be, on average, if every stated chance were the truth: its floor here."""
    log_loss: float
    """Mean minus log-likelihood of what happened, in nats."""


def reliability(chance: Float64, position: Int64, clicked: Float64, seed: int = 1) -> Reliability:
    """Compares stated chances with clicks.

    Args:
        chance: above 0, at most 1, shape (n,).
        position: from 1, shape (n,).
        clicked: 0 or 1, shape (n,).
        seed: of the draws that tell what chance alone leaves.

    >>> half = np.full(200, 0.5)
    >>> found = reliability(half, np.ones(200, np.int64), np.arange(200) % 2.0)
    >>> found.ece, len(found.bins)
    (0.0, 2)
    """
    groups = _groups(chance, position)
    random = np.random.default_rng(seed)
    drawn = [
        _ece(groups, chance, (random.random(len(chance)) < chance).astype(np.float64))
        for _ in range(DRAWS)
    ]
    bins = [
        Bin(
            int(position[rows[0]]),
            len(rows),
            float(chance[rows].mean()),
            float(clicked[rows].mean()),
            *wilson(float(clicked[rows].sum()), len(rows)),
        )
        for rows in groups
    ]
    sure = np.clip(chance, 1e-12, 1 - 1e-12)
    loss = -(clicked * np.log(sure) + (1 - clicked) * np.log1p(-sure)).mean()
    ece = _ece(groups, chance, clicked)
    return Reliability(bins, ece, float(np.mean(drawn)), float(loss))


def wilson(successes: float, trials: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927).

    >>> low, high = wilson(0, 100)
    >>> round(low, 3), round(high, 3)
    (0.0, 0.037)
    """
    share, squared = successes / trials, _Z95**2
    centre = (share + squared / (2 * trials)) / (1 + squared / trials)
    spread = _Z95 * math.sqrt(share * (1 - share) / trials + squared / (4 * trials**2))
    half = spread / (1 + squared / trials)
    return max(0.0, centre - half), min(1.0, centre + half)


def _groups(chance: Float64, position: Int64) -> list[Int64]:
    """Rows of each bin: by place, then by rising chance."""
    groups: list[Int64] = []
    for place in np.unique(position):
        rows = np.flatnonzero(position == place)
        rows = rows[np.argsort(chance[rows], kind="stable")]
        groups += np.array_split(rows, max(1, min(BINS, len(rows) // PER_BIN)))
    return groups


def _ece(groups: list[Int64], chance: Float64, clicked: Float64) -> float:
    gaps = [abs(float((chance[rows] - clicked[rows]).sum())) for rows in groups]
    return sum(gaps) / len(chance)
