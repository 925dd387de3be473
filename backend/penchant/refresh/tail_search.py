"""Chooses the weights of items with few events, by held-out likes of such items.

Few likes are of such items, one in sixty on film logs, so that the search for the weights of all
parts does not see them, and the offset of an item that has had no time to be liked keeps it out of
everybody's first fifty. Pairs of a weight of their offset and a lift (`penchant.domain.long_tail`)
are tried; the one with the highest NDCG@50 of likes of items with few events is taken, among those
that cost the first ten of all rankings nothing that held-out likes can tell, and the first fifty
next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from penchant.domain.arrays import Float64, Int64, Mask
from penchant.domain.long_tail import FEW, TAIL_SETTINGS, tail_share
from penchant.domain.neighbours import opening_weight
from penchant.domain.types import Vector
from penchant.refresh.direct_search import TOP
from penchant.refresh.even_sample import even_sample
from penchant.refresh.held_out import BEST, OFFSET, HeldOut, best_places
from penchant.refresh.part_total import PartTotal
from penchant.refresh.young_users import OpeningPart

SEEN = 50
"""Ranks that count for items with few events."""

LEAST_FEW = 20
"""Held-out likes of items with few events below which they have no weights of their own."""

MOST_FEW = 400
"""Held-out likes of items with few events that the weights are chosen by, at most."""

MOST_OTHERS = 1200
"""Held-out likes of other items that they are checked by, at most."""

SIZES = (0.0, 1.0, 2.0, 3.0, 4.5)
"""Upper ends of the offsets' additional part that are tried; all parts together have 6."""

LIFTS = (0.0, 0.3, 0.6, 0.9, 1.2, 1.5)
"""Lifts that are tried."""

NOTHING = 0.5
"""Standard errors of a loss in the NDCG@10 of all rankings that are taken for none."""

SPENT = 0.04
"""Share of the NDCG@50 of all rankings that items with few events may cost."""

CERTAIN = 2.0
"""Standard errors by which likes of items with few events must be ranked better."""


@dataclass(frozen=True, slots=True)
class TailWeights:
    """The weights that suit items with few events."""

    settings: dict[str, float]
    """By name of the setting."""
    before: float
    """Recall@50 of items with few events without them."""
    after: float
    """The same with them."""


def choose_tail(
    log: HeldOut, cut: int, positions: Int64, total: PartTotal, opening: OpeningPart
) -> TailWeights | None:
    """Chooses the weights; None: items with few events have none of their own. Deterministic.

    Args:
        log: the held-out events.
        cut: position of the first of them.
        positions: likes of items new to their users, in time order.
        total: the weights of all parts.
        opening: what was chosen for young users.

    Cost: 2 to 3 ms a ranking.
    """
    of_few = _events_before(log.events.item)[positions] < FEW
    if np.count_nonzero(of_few) < LEAST_FEW:
        return None
    share = float(of_few.mean())
    chosen = np.sort(
        np.concatenate(
            [even_sample(positions[of_few], MOST_FEW), even_sample(positions[~of_few], MOST_OTHERS)]
        )
    )
    few = np.isin(chosen, positions[of_few])
    tail = tail_share(np.bincount(log.events.item[:cut], minlength=log.items))
    end = _upper_end(log, chosen, total.pace)
    tried = [(size / end if end else 0.0, lift) for size, lift in product(SIZES, LIFTS)]
    rank = _ranks(log, chosen, total, opening, tail, tried)
    weight = np.where(few, share / few.sum(), (1 - share) / max(1, (~few).sum()))
    best = _best(rank, few, weight)
    if best == 0:
        return None
    weight_of_offset, lift = tried[best]
    found = (rank[few] <= SEEN).mean(axis=0)
    return TailWeights(
        dict(zip(TAIL_SETTINGS, (weight_of_offset, lift), strict=True)),
        float(found[0]),
        float(found[best]),
    )


def _events_before(item: Int64) -> Int64:
    """Number of earlier events about each event's item, shape (n,)."""
    order = np.argsort(item, kind="stable")
    _, first, group = np.unique(item[order], return_index=True, return_inverse=True)
    earlier = np.empty_like(order)
    earlier[order] = np.arange(len(order)) - first[group]
    return earlier


def _upper_end(log: HeldOut, positions: Int64, live: int) -> float:
    ends = []
    for position, offsets in zip(positions.tolist(), log.offsets(positions, live), strict=True):
        best = best_places(offsets, log.seen(position))[:BEST]
        ends.append(offsets[best].mean())
    return float(np.mean(ends))


def _ranks(
    log: HeldOut,
    positions: Int64,
    total: PartTotal,
    opening: OpeningPart,
    tail: Vector,
    tried: list[tuple[float, float]],
) -> Float64:
    """The rank of each liked item under each pair of weights, shape (n, pairs).

    Rivals are the items that are among the first under the least and the largest of either weight.
    """
    pairs = np.array(tried, np.float32)
    corners = [place for place, pair in enumerate(tried) if _is_corner(pair, tried)]
    ranks = []
    for position, parts in log.each(positions, total.needed):
        own, hidden = int(log.events.item[position]), log.seen(position)
        fade = np.float32(opening_weight(int(log.earlier[position]), opening.half_life_events))
        scores = opening.scores(total, parts, int(log.earlier[position]))
        live = parts[OFFSET][total.pace]
        added = (1 - fade) * np.stack([tail * live, tail])
        first = [best_places(scores + pairs[place] @ added, hidden) for place in corners]
        rivals = np.setdiff1d(np.unique(np.concatenate(first)), np.append(hidden, own))
        lead = pairs @ (added[:, rivals] - added[:, [own]])
        lead += scores[rivals] - scores[own]
        ranks.append(1 + (lead > 0).sum(axis=1) + (lead == 0).sum(axis=1) / 2)
    return np.stack(ranks)


def _is_corner(pair: tuple[float, float], tried: list[tuple[float, float]]) -> bool:
    return all(
        value in (min(of_all), max(of_all))
        for value, of_all in zip(pair, zip(*tried, strict=True), strict=True)
    )


def _best(rank: Float64, few: Mask, weight: Float64) -> int:
    """The pair with the best NDCG@50 of likes of items with few events, among those allowed."""
    gain: Float64 = 1 / np.log2(1 + rank)
    at_top, seen = np.where(rank <= TOP, gain, 0.0), np.where(rank <= SEEN, gain, 0.0)
    lost = weight @ (at_top[:, [0]] - at_top)
    no_loss = lost <= NOTHING * _error(at_top - at_top[:, [0]], weight)
    affordable = weight @ seen >= (1 - SPENT) * (weight @ seen[:, 0])
    of_few = np.full(int(few.sum()), 1 / few.sum())
    gained = of_few @ (seen[few] - seen[few][:, [0]])
    certain = gained >= CERTAIN * _error(seen[few] - seen[few][:, [0]], of_few)
    certain[0] = True
    return int(np.argmax(np.where(no_loss & affordable & certain, gained, -1.0)))


def _error(values: Float64, weight: Float64) -> Float64:
    """Standard error of the weighted mean of each column, shape (pairs,)."""
    error: Float64 = np.sqrt(weight**2 @ (values - weight @ values) ** 2)
    return error
