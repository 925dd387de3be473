"""Chooses how much segments count for users with few events, by held-out likes of such users.

One key is added at a time, with the factor that helps most, while the gain is above `CERTAIN`
standard errors: gains are those of NDCG without a cut, which is less a matter of chance than
NDCG@10, and the latter must not fall.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from penchant.domain.arrays import Float32, Float64, Int64
from penchant.domain.neighbours import opening_weight
from penchant.refresh.direct_search import TOP
from penchant.refresh.even_sample import even_sample
from penchant.refresh.held_out import HeldOut, weighed_rewards
from penchant.refresh.part_total import PartTotal
from penchant.refresh.segment_popularity import SegmentLifts, find_segments
from penchant.refresh.young_users import OpeningPart

STRANGER = 6
"""Events from which a user is no stranger."""

LEAST_STRANGERS = 30
"""Held-out likes of strangers below which segments have no part."""

MOST_STRANGERS = 600
"""Held-out likes that they are chosen by, at most."""

MOST_SCORES = 20_000_000
"""Scores that are held at once, at most: rankings times items."""

FACTORS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Factors of a key that are tried."""

CERTAIN = 2.0
"""Standard errors that a gain must be above."""


@dataclass(frozen=True, slots=True)
class ChosenSegments:
    """The keys whose segments count."""

    factors: dict[str, float]
    """By key."""
    rankings: int
    """Held-out likes that they were chosen by."""
    before: float
    """NDCG@10 of strangers without segments."""
    after: float
    """The same with them."""


@dataclass(slots=True)
class _Strangers:
    """Scores of rankings, and those of each key's segments."""

    own: Int64
    """The items that were liked, shape (n,)."""
    scores: Float32
    """Shape (n, items); minus infinity for items that the user knows."""
    fade: Float32
    """a_0, shape (n, 1)."""
    row: dict[str, Int64]
    """Rows of the lifts by key, -1 for none, shape (n,)."""
    lifts: dict[str, SegmentLifts]
    factors: dict[str, float] = field(default_factory=dict)

    def adding(self, key: str, factor: float) -> Float32:
        """The scores with a key's segments."""
        row, lifts = self.row[key], self.lifts[key].log_lift
        part = np.where((row >= 0)[:, None], lifts[row], np.float32(0.0))
        scores: Float32 = self.scores + np.float32(factor) * self.fade * part
        return scores


def choose_segments(
    log: HeldOut, cut: int, positions: Int64, total: PartTotal, opening: OpeningPart
) -> ChosenSegments | None:
    """Chooses the keys and their factors; None: no segment helps. Deterministic.

    Args:
        log: the held-out events.
        cut: position of the first of them.
        positions: likes of items new to their users, in time order.
        total: the weights of all parts.
        opening: what was chosen for young users.

    Cost: 2 to 3 ms a ranking, and for each key some 10 ms for a million scores.
    """
    strangers = positions[log.earlier[positions] < STRANGER]
    if not log.events.context or len(strangers) < LEAST_STRANGERS:
        return None
    older = log.events.taken(slice(0, cut))
    rewards = weighed_rewards(older, log.prior.signal_weights)
    lifts = find_segments(older, rewards, log.items)
    if not lifts:
        return None
    found = _score(log, strangers, total, opening, lifts)
    best = before = _gains(found.scores, found.own)
    while True:
        tried = [
            (key, factor, _gains(found.adding(key, factor), found.own))
            for key in found.lifts
            if key not in found.factors
            for factor in FACTORS
        ]
        better = [one for one in tried if _helps(one[2], best)]
        if not better:
            break
        key, factor, best = max(better, key=lambda one: float(one[2][:, 0].mean()))
        found.scores = found.adding(key, factor)
        found.factors[key] = factor
    if not found.factors:
        return None
    at_top = before[:, 1].mean(), best[:, 1].mean()
    return ChosenSegments(dict(sorted(found.factors.items())), len(best), *map(float, at_top))


def _helps(gains: Float64, before: Float64) -> bool:
    gained = gains[:, 0] - before[:, 0]
    error = float(gained.std()) / np.sqrt(len(gained))
    certain = float(gained.mean()) > CERTAIN * error
    return certain and float(gains[:, 1].mean()) >= float(before[:, 1].mean())


def _score(
    log: HeldOut,
    strangers: Int64,
    total: PartTotal,
    opening: OpeningPart,
    lifts: dict[str, SegmentLifts],
) -> _Strangers:
    most = max(LEAST_STRANGERS, min(MOST_STRANGERS, MOST_SCORES // log.items))
    strangers = even_sample(strangers, most)
    earlier, half_life = log.earlier[strangers].tolist(), opening.half_life_events
    fade = np.array([opening_weight(events, half_life) for events in earlier], np.float32)
    scores = np.empty((len(strangers), log.items), np.float32)
    for place, (position, parts) in enumerate(log.each(strangers, total.needed)):
        scores[place] = opening.scores(total, parts, earlier[place])
        scores[place, log.seen(position)] = -np.inf
    rows = {}
    for key, of_key in lifts.items():
        context = log.events.context[key]
        rows[key] = of_key.row_of_each(context.values)[context.code[strangers]]
    return _Strangers(log.events.item[strangers], scores, fade[:, None], rows, lifts)


def _gains(scores: Float32, own: Int64) -> Float64:
    """NDCG and NDCG@10 of each ranking, shape (n, 2); equal scores share their ranks."""
    mine = scores[np.arange(len(own)), own][:, None]
    above, equal = (scores > mine).sum(axis=1), (scores == mine).sum(axis=1)
    rank = 1 + above + (equal - 1) / 2
    gain = 1 / np.log2(1 + rank)
    return np.stack([gain, np.where(rank <= TOP, gain, 0.0)], axis=1)
