"""From shares of top tens to how soon a ranking has followed a change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penchant.evaluation.metrics import MeanInterval, estimates

FIRST, LAST = -10, 39
"""Events since the change that a curve shows."""
LEVEL = 10
"""The last so many events before the change say how good a ranking was."""
RECOVERED = 0.9
"""Of what it was."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One recommender's share of the top ten in the user's taste, by events since the change."""

    name: str
    since: NDArray[np.int64]
    share: list[MeanInterval]


def curve_of(
    name: str,
    share: NDArray[np.float64],
    user: NDArray[np.int64],
    since: NDArray[np.int64],
    seed: int,
) -> Curve:
    """Means over users, with 95 % intervals, of n rankings, shapes (n,)."""
    shown = np.arange(FIRST, LAST + 1)
    shown = shown[np.isin(shown, since)]
    points = [estimates(share[since == at][:, None], user[since == at], seed)[0] for at in shown]
    return Curve(name, shown, points)


@dataclass(frozen=True, slots=True)
class Recovery:
    """How a ranking came through a change."""

    before: float
    """The mean share over the last events before it."""
    at_change: float
    """The share where the taste is new and nobody could know."""
    events: int | None
    """Events of the new taste after which the share is nine tenths of `before`; None: never."""
    end: float
    """The mean share over the last events."""


def recovery_of(curve: Curve) -> Recovery:
    """What a curve says.

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
