"""Reliability of stated probabilities: calibration error in bins of equal mass, and its floor.

The expected calibration error is that of Naeini, Cooper and Hauskrecht, AAAI 2015. Bins hold equal
numbers of impressions, since clicks are rare and probabilities crowd near 0 (Nixon et al. 2019).
Bins are made within each place: over all places together, the errors of a model without places
cancel out, and it looks calibrated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from penchant.domain.arrays import Float64, Int64

BINS = 10
"""Bins of each place, unless a bin would hold fewer than PER_BIN impressions."""
PER_BIN = 100
"""Fewest impressions of a bin, if a place has more than one."""
DRAWS = 200
"""Simulated logs from which the floor of the calibration error is estimated."""
_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Impressions at one place with similar stated probabilities."""

    position: int
    """Place from 1."""
    count: int
    """Impressions in the bin."""
    stated: float
    """Mean stated probability of a click."""
    clicked: float
    """Share of the impressions that were clicked."""
    low: float
    """Lower end of the 95 % interval of that share (Wilson)."""
    high: float
    """Upper end of the interval."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """The distance between stated probabilities and clicks."""

    bins: list[ReliabilityBin]
    ece: float
    """Expected calibration error: mean distance of the bins, weighted by impressions."""
    ece_by_chance: float
    """Floor of `ece` on these impressions: its mean if every stated probability were true."""
    log_loss: float
    """Mean negative log-likelihood of the clicks, in nats."""


def reliability(chance: Float64, position: Int64, clicked: Float64, seed: int = 1) -> Reliability:
    """Compares stated probabilities with clicks.

    Args:
        chance: stated probabilities, above 0, at most 1, shape (n,).
        position: places from 1, shape (n,).
        clicked: 1 for a click, else 0, shape (n,).
        seed: seed of the simulated logs.

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
        ReliabilityBin(
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
    """Computes the 95 % interval of a share (Wilson 1927).

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
    """Rows of each bin, by place and then by rising probability."""
    groups: list[Int64] = []
    for place in np.unique(position):
        rows = np.flatnonzero(position == place)
        rows = rows[np.argsort(chance[rows], kind="stable")]
        groups += np.array_split(rows, max(1, min(BINS, len(rows) // PER_BIN)))
    return groups


def _ece(groups: list[Int64], chance: Float64, clicked: Float64) -> float:
    gaps = [abs(float((chance[rows] - clicked[rows]).sum())) for rows in groups]
    return sum(gaps) / len(chance)
