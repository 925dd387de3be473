"""A release on rollout beside the one that is served: who sees it, and when it is worse.

Users fall by hash into the share that is tried on and the rest, and by another hash into
B = `BUCKETS` buckets. Per arm and bucket two sums are kept, n of cases and s of gains. With

    r = s / n over all buckets of an arm,   d = r_candidate - r_served              (1)
    d_j = d without bucket j,   se^2 = (B - 1) / B sum_j (d_j - mean d_j)^2           (2)

the rollout is worse where d < -budget |r_served| and d < -`SIGMAS` se, with at least half of the
buckets filled. (2) is the delete-a-group jackknife (P. S. Kott, "The delete-a-group jackknife",
Journal of Official Statistics, 2001): users are whole in their bucket, so that the likeness of one
user's events makes no difference look surer than it is. It is looked at after every batch, hence so
many sigmas: a test draws rollouts of equal arms and finds fewer than one in twenty ended.
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
"""The arms, and what the two top tens of a shadow have in common."""

Sums = NDArray[np.float64]
"""Shape (3, BUCKETS, 2): by arm and bucket, cases and gains."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """What is tried, and how."""

    release: str
    mode: str
    """shadow: compared, never shown; canary: shown to the share."""
    share: float
    """Of the users, above 0 to 1."""
    head: CatalogHead
    """The candidate's catalog, whose files are in a directory of their own."""
    begun_us: int
    max_loss: float = 0.05
    """The share of the metric that may be lost before the rollout is ended, 0 to 1."""
    min_cases: int = 200
    """Of each arm, before anything is said, 1 or more."""

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
        """Whether a user is of the share: the same answer always, in every process."""
        return _unit(f"{self.release} {user}") < self.share

    def shows(self, user: str) -> bool:
        """Whether a user is ranked for by the candidate."""
        return self.mode == "canary" and self.tries(user)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a rollout stands; NaN where there is nothing yet."""

    cases: tuple[int, int]
    """Of the arm that is served and of the candidate's."""
    means: tuple[float, float]
    """The metric of each."""
    difference: float
    error: float
    """The standard error of the difference."""
    overlap: float
    """The mean share that two top tens of a shadow have in common; NaN without one."""
    worse: bool


def no_sums() -> Sums:
    """Before the first case."""
    return np.zeros((3, BUCKETS, 2))


def bucket_of(user: str) -> int:
    """Which bucket a user's cases are counted in, 0 to BUCKETS - 1."""
    return int(_unit(f"bucket {user}") * BUCKETS)


def standing(sums: Sums, rollout: Rollout) -> Standing:
    """Equations 1 and 2, and what comes of them.

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
    """A number from 0 to below 1 for a text, as if it were drawn."""
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
