"""A release on rollout beside the served one: which users see it, and when it is worse.

One hash assigns users to the rollout's share or to the rest, another one to B = `BUCKETS` buckets.
Per arm and bucket, two sums are kept: n of cases and s of gains. With

    r = s / n over all buckets of an arm,   d = r_candidate - r_served              (1)
    d_j = d without bucket j,   se^2 = (B - 1) / B sum_j (d_j - mean d_j)^2           (2)

the rollout is worse if d < -max_loss |r_served| and d < -`SIGMAS` se, with at least half of the
buckets filled. (2) is the delete-a-group jackknife (P. S. Kott, "The delete-a-group jackknife",
Journal of Official Statistics, 2001). A user is entirely in one bucket, so that the correlation of
one user's events cannot make a difference look more certain than it is. The test runs after every
batch, which is why it needs so many sigmas: of simulated rollouts with equal arms, fewer than one
in twenty are ended.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penchant.domain.errors import ConfigError
from penchant.domain.types import CatalogHead

MODES = ("shadow", "canary")
BUCKETS = 20
SIGMAS = 4.0
SERVED, CANDIDATE, OVERLAP = 0, 1, 2
"""Rows of the sums: the two arms, and the overlap of the two top tens of a shadow."""

Sums = NDArray[np.float64]
"""Cases and gains by arm and bucket, shape (3, BUCKETS, 2)."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """A release on rollout, and how it is compared."""

    release: str
    mode: str
    """`shadow`: compared but never shown; `canary`: shown to the share."""
    share: float
    """Share of users in the rollout, above 0 to 1."""
    head: CatalogHead
    """Head of the candidate's catalog, which has a directory of its own."""
    begun_us: int
    max_loss: float = 0.05
    """Relative loss of the metric at which the rollout may be ended, 0 to 1."""
    min_cases: int = 200
    """Cases per arm before the rollout may be ended, 1 or more."""

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ConfigError(f"mode: got {self.mode!r}, expected shadow or canary")
        if not 0 < self.share <= 1:
            raise ConfigError(f"share: got {self.share}, expected above 0 to 1")
        if not 0 <= self.max_loss <= 1:
            raise ConfigError(f"max_loss: got {self.max_loss}, expected 0 to 1")
        if self.min_cases < 1:
            raise ConfigError(f"min_cases: got {self.min_cases}, expected 1 or more")

    def tries(self, user: str) -> bool:
        """Whether a user belongs to the share; the same in every process and at any time."""
        return _unit(f"{self.release} {user}") < self.share

    def shows(self, user: str) -> bool:
        """Whether a user is ranked by the candidate."""
        return self.mode == "canary" and self.tries(user)


@dataclass(frozen=True, slots=True)
class Standing:
    """The comparison of the two arms so far; NaN for figures without cases."""

    cases: tuple[int, int]
    """Cases of the served arm and of the candidate's."""
    means: tuple[float, float]
    """The metric of each arm."""
    difference: float
    """Candidate minus served."""
    error: float
    """The standard error of the difference."""
    overlap: float
    """Mean share of items that the two top tens of a shadow have in common."""
    worse: bool


def no_sums() -> Sums:
    """The sums before the first case."""
    return np.zeros((3, BUCKETS, 2))


def bucket_of(user: str) -> int:
    """The bucket of a user's cases, 0 to BUCKETS - 1."""
    return int(_unit(f"bucket {user}") * BUCKETS)


def standing(sums: Sums, rollout: Rollout) -> Standing:
    """Compares the arms by equations 1 and 2.

    >>> head, sums = CatalogHead(), no_sums()
    >>> sums[:2, :, 0] = 100
    >>> sums[0, :, 1], sums[1, :, 1] = 50, 30 + np.arange(20) % 2
    >>> found = standing(sums, Rollout("r", "canary", 0.5, head, begun_us=0))
    >>> found.cases, found.means, found.worse
    ((2000, 2000), (0.5, 0.305), True)
    """
    arms, compared = sums[:OVERLAP], sums[OVERLAP].sum(axis=0)
    totals = arms.sum(axis=1)
    overlap = float(compared[1] / compared[0]) if compared[0] else math.nan
    cases = int(totals[SERVED, 0]), int(totals[CANDIDATE, 0])
    if min(cases) == 0:
        nothing = (math.nan, math.nan)
        return Standing(cases, nothing, math.nan, math.nan, overlap, worse=False)
    means = totals[:, 1] / totals[:, 0]
    difference = float(means[CANDIDATE] - means[SERVED])
    error = _error(arms, totals)
    filled = (arms[:, :, 0] > 0).sum(axis=1).min()
    enough = min(cases) >= rollout.min_cases and filled >= BUCKETS / 2
    over = difference < -rollout.max_loss * abs(float(means[SERVED]))
    worse = enough and over and difference < -SIGMAS * error
    both = float(means[SERVED]), float(means[CANDIDATE])
    return Standing(cases, both, difference, error, overlap, worse=worse)


def _error(sums: Sums, totals: Sums) -> float:
    without = totals[:, None, :] - sums
    if (without[:, :, 0] <= 0).any():
        return math.nan
    means = without[:, :, 1] / without[:, :, 0]
    differences = means[CANDIDATE] - means[SERVED]
    spread = ((differences - differences.mean()) ** 2).sum()
    return math.sqrt((BUCKETS - 1) / BUCKETS * float(spread))


def _unit(text: str) -> float:
    """A pseudo-random number in [0, 1) that depends on the text alone."""
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
