"""Recovery curves: the share of the top ten in a user's taste, by events since a change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from penchant.domain.arrays import Float64, Int64
from penchant.evaluation.metrics import MeanInterval, estimates

FIRST, LAST = -10, 39
"""First and last event of a curve, counted from the change."""
LEVEL = 10
"""Events before the change over which the earlier quality is averaged."""
RECOVERED = 0.9
"""Share of the earlier quality that counts as recovered."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One recommender's share of the top ten in the user's taste, by events since the change."""

    name: str
    since: Int64
    share: list[MeanInterval]


def curve_of(
    name: str,
    share: Float64,
    user: Int64,
    since: Int64,
    seed: int,
) -> Curve:
    """Means over users with 95 % intervals.

    Args:
        name: name of the recommender.
        share: share of each top ten in the user's taste, shape (n,).
        user: user of each ranking, shape (n,).
        since: the user's events since the change, shape (n,).
        seed: seed of the intervals.
    """
    shown = np.arange(FIRST, LAST + 1)
    shown = shown[np.isin(shown, since)]
    points = [estimates(share[since == at][:, None], user[since == at], seed)[0] for at in shown]
    return Curve(name, shown, points)


@dataclass(frozen=True, slots=True)
class Recovery:
    """Recovery of a ranking from a change of taste."""

    before: float
    """Mean share over the last `LEVEL` events before the change."""
    at_change: float
    """Share at the first event after the change, which no ranking can foresee."""
    events: int | None
    """Events until the share reaches nine tenths of `before`; None: never."""
    end: float
    """Mean share over the last `LEVEL` events."""


def recovery_of(curve: Curve) -> Recovery:
    """Summarises a curve.

    >>> points = [MeanInterval(share, share, share) for share in (0.8, 0.0, 0.3, 0.8, 0.8)]
    >>> recovery_of(Curve("one", np.array([-1, 0, 1, 2, 39]), points))
    Recovery(before=0.8, at_change=0.0, events=2, end=0.8)
    """
    mean, since = np.array([point.mean for point in curve.share]), curve.since
    before = float(mean[(since < 0) & (since >= -LEVEL)].mean())
    there = since[(since >= 0) & (mean >= RECOVERED * before)]
    return Recovery(
        before=round(before, 3),
        at_change=round(float(mean[since == 0][0]), 3),
        events=int(there[0]) if len(there) else None,
        end=round(float(mean[since > LAST - LEVEL].mean()), 3),
    )
