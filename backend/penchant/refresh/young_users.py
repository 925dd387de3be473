"""Chooses what users see who have no history yet, or a short one.

A stranger's ranking is the offset and the opening's row of the neighbour table, which fades within
a few events (`penchant.domain.neighbours`). On some logs users begin with a few items of their own
kind, on others with what is popular at the time, or always was. So the row is a mixture of three
sources, each divided by its upper end:

    row = a begun(i) + b popularity(i) + c recent popularity(i)

chosen by NDCG@10 of held-out likes of users with fewer than `YOUNG` events, where likes without any
history count as much together as the others do. The mixture in force stays unless another is better
by `BETTER` standard errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from penchant.domain.arrays import Float32, Float64, Int64
from penchant.domain.types import Vector
from penchant.refresh.direct_search import TOP
from penchant.refresh.held_out import BEST, OPENINGS, HeldOut
from penchant.refresh.part_total import PartTotal

YOUNG = 5
"""Events from which a user is no longer young."""

LEAST_YOUNG = 30
"""Held-out likes of young users below which the row stays as it is."""

MOST_YOUNG = 500
"""Held-out likes of young users that the row is chosen by, at most."""

BETTER = 1.0
"""Standard errors by which another mixture must be better."""

SIZES = (1.5, 3.0, 6.0)
"""Upper ends of the row that are tried, in units of the score; the other parts' is 6."""

MIXTURES = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1))
"""Mixtures of the three sources that are tried."""


@dataclass(frozen=True, slots=True)
class OpeningRow:
    """The opening's row that suits young users."""

    begun: float
    """Factor of what users begin with."""
    popularity: tuple[float, float]
    """Factors of the two popularities (`POPULARITY_HALF_LIVES_S`)."""
    rankings: int
    """Held-out likes that it was chosen by."""
    before: float
    """Their NDCG@10 with the row in force before."""
    after: float
    """Their NDCG@10 with this row."""


def choose_opening(log: HeldOut, positions: Int64, total: PartTotal) -> OpeningRow | None:
    """Chooses the row; None: the one in force stays. Deterministic.

    Args:
        log: the held-out events.
        positions: likes of items new to their users, in time order.
        total: the weights of all parts.

    Cost: 1 to 2 ms a ranking.
    """
    young = positions[log.earlier[positions] < YOUNG]
    if len(young) < LEAST_YOUNG:
        return None
    young = young[np.linspace(0, len(young) - 1, min(MOST_YOUNG, len(young))).astype(np.int64)]
    sources = [log.opening, *log.popularity]
    ends = [float(np.sort(source)[-BEST:].mean()) for source in sources]
    tried = [(total.raw[OPENINGS], 0.0, 0.0)]
    for size, mixture in product(SIZES, MIXTURES):
        share = size / sum(mixture)
        factors = [
            share * part / end if end else 0.0 for part, end in zip(mixture, ends, strict=True)
        ]
        tried.append((factors[0], factors[1], factors[2]))
    gains = _gains(log, young, total, sources, tried)
    known = log.earlier[young] > 0
    weight = np.where(known, 1.0 / max(1, known.sum()), 1.0 / max(1, (~known).sum()))
    weight /= weight.sum()
    means = weight @ gains
    best = int(means.argmax())
    ahead = gains[:, best] - gains[:, 0]
    error = float(np.sqrt((weight**2 * (ahead - weight @ ahead) ** 2).sum()))
    if means[best] - means[0] <= BETTER * error:
        return None
    begun, always, lately = tried[best]
    return OpeningRow(begun, (always, lately), len(young), float(means[0]), float(means[best]))


def _gains(
    log: HeldOut,
    positions: Int64,
    total: PartTotal,
    sources: list[Vector],
    tried: list[tuple[float, float, float]],
) -> Float64:
    """NDCG@10 of each ranking under each mixture, shape (n, mixtures)."""
    rows = np.stack(sources)
    mixtures = (np.array(tried, np.float32) @ rows).astype(np.float32)
    variant = total.variants.get(OPENINGS, 0)
    gains = np.zeros((len(positions), len(tried)))
    for place, (position, parts) in enumerate(log.each(positions)):
        others = total.of(parts, without=(OPENINGS,))
        scores = others + log.opening_share(position, variant) * mixtures
        hidden = log.seen(position)
        gains[place] = _ndcg(scores, int(log.events.item[position]), hidden)
    return gains


def _ndcg(scores: Float32, own: int, hidden: Int64) -> Float64:
    """NDCG@10 of one item under each row of scores; equal scores share their ranks."""
    mine = scores[:, own][:, None].copy()
    scores[:, hidden] = -np.inf
    scores[:, own] = -np.inf
    rank = 1 + (scores > mine).sum(axis=1) + (scores == mine).sum(axis=1) / 2
    gain: Float64 = np.where(rank <= TOP, 1 / np.log2(1 + rank), 0.0)
    return gain
