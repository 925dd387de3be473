"""Finds the weight of repeats, and how they fade, among likes of any items.

The other parts are weighted for items that are new to their users. Here repeats are added to their
sum: how they fade, their pause and the weight of the basket are chosen by more ranks than the ten
that count, since that is less noisy; then their weight by those ten. The candidates of a ranking
are the items that the others put first and all that the user liked before: no other item can reach
the first ten.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import product

import numpy as np

from penchant.domain.arrays import Float32, Float64, Int64
from penchant.domain.settings import FoldSettings
from penchant.refresh.direct_search import TOP
from penchant.refresh.held_out import BEST, HeldOut
from penchant.refresh.part_total import PartTotal

HALF_LIVES_DAYS = (30.0, 7.0, 15.0, 60.0, 120.0, 365.0)
PAUSES_S = (0.0, 3600.0)
BASKET_WEIGHTS = (0.0, 4.0, 16.0)
"""Settings of the repeats that are tried, each with each."""

VISIT_HALF_LIVES_DAYS = (1.0, 1 / 8, 1 / 48)
"""Half-lives that are tried besides: what a user has just looked at, who then buys it."""

LONG_PAUSES_S = (86_400.0, 3 * 86_400.0)
"""Pauses that are tried besides: what was just ordered is not needed for days."""

SHARES = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 16.0, 64.0)
"""Weights of repeats that are tried, in multiples of the other parts' upper end."""

_DEEPER = 30
"""Ranks that the variant is chosen by: more than the ten that count, since fewer of them are
noise. Drawn from 1,500 rankings of a grocery log, 500 of them chose a variant with 0.1060 by 20
ranks, 0.1054 by 50 and 0.1044 by 10; the best one has 0.1070."""

_FIRST = 200
"""Items that the other parts put first, which are candidates."""


@dataclass(frozen=True, slots=True)
class FoundRepeats:
    """The settings of repeats that rank held-out likes best."""

    settings: dict[str, float]
    """Weight, half-life, pause and weight of the basket, by setting."""
    before: float
    """NDCG@10 over all items without repeats."""
    after: float
    """NDCG@10 over all items with them."""


def find_repeats(log: HeldOut, positions: Int64, total: PartTotal) -> FoundRepeats | None:
    """Finds the settings; None: repeats are better left out. Deterministic.

    Args:
        log: the held-out events.
        positions: likes, of items new to their users or not, in time order.
        total: the weights of the other parts.

    Cost: 2 to 3 ms a ranking.
    """
    tried_settings = [
        *product(HALF_LIVES_DAYS, PAUSES_S, BASKET_WEIGHTS),
        *product(VISIT_HALF_LIVES_DAYS, (0.0,), (0.0,)),
        *product(HALF_LIVES_DAYS, LONG_PAUSES_S, (0.0,)),
    ]
    variants = [_Variant(days * 86400.0, *others) for days, *others in tried_settings]
    rankings, end = _rankings(log, positions, total, variants)
    before = rankings.ndcg(0.0, 0, TOP)
    tried = [(share, place) for place in range(len(variants)) for share in SHARES]
    place = max(tried, key=lambda one: rankings.ndcg(one[0] * end, one[1], _DEEPER))[1]
    share = max(SHARES, key=lambda share: rankings.ndcg(share * end, place, TOP))
    after = rankings.ndcg(share * end, place, TOP)
    if after <= before:
        return None
    return FoundRepeats({"repeat_weight": share * end, **variants[place].settings}, before, after)


@dataclass(frozen=True, slots=True)
class _Variant:
    half_life_s: float
    pause_s: float
    basket_weight: float

    @property
    def settings(self) -> dict[str, float]:
        return {
            "repeat_half_life_s": self.half_life_s,
            "repeat_pause_s": self.pause_s,
            "repeat_basket_weight": self.basket_weight,
        }

    def within(self, prior: FoldSettings) -> FoldSettings:
        """Settings of the fold with these."""
        return dataclasses.replace(
            prior,
            repeat_half_life_s=self.half_life_s,
            repeat_pause_s=self.pause_s,
            repeat_basket_weight=self.basket_weight,
        )


@dataclass(frozen=True, slots=True)
class _Rankings:
    """n rankings of up to c candidates: the leads of each rival over the chosen item."""

    others: Float32
    """By the other parts, shape (n, c); minus infinity for padding and the chosen item."""
    repeats: list[Float32]
    """By each variant of the repeats, shape (n, c)."""
    gain: Float64
    """How much each ranking counts, shape (n,)."""

    def ndcg(self, weight: float, variant: int, ranks: int) -> float:
        """Mean NDCG over the first ranks, where equal items share theirs."""
        lead = self.others + np.float32(weight) * self.repeats[variant]
        rank = 1 + (lead > 0).sum(axis=1) + (lead == 0).sum(axis=1) / 2
        return float(np.where(rank <= ranks, self.gain / np.log2(1 + rank), 0.0).sum())


def _rankings(
    log: HeldOut, positions: Int64, total: PartTotal, variants: list[_Variant]
) -> tuple[_Rankings, float]:
    """The rankings, and the upper end of the other parts above their median."""
    settings = [variant.within(log.prior) for variant in variants]
    leads: list[tuple[Float32, list[Float32]]] = []
    ends = []
    for position, parts in log.each(positions, total.needed):
        others, own = total.of(parts), int(log.events.item[position])
        repeats = log.repeats(position, settings)
        first = np.argpartition(-others, min(_FIRST, log.items - 1))[:_FIRST]
        ends.append(float(np.sort(others[first])[-BEST:].mean() - np.median(others)))
        rivals = np.union1d(first, log.seen(position))
        rivals = rivals[rivals != own]
        leads.append((others[rivals] - others[own], [part[rivals] - part[own] for part in repeats]))
    gain = log.reward[positions] / log.reward[positions].sum()
    width = max(len(others) for others, _ in leads)
    of_others = _padded([others for others, _ in leads], width, -np.inf)
    of_repeats = [
        _padded([parts[place] for _, parts in leads], width, 0.0) for place in range(len(variants))
    ]
    return _Rankings(of_others, of_repeats, gain), float(np.mean(ends))


def _padded(rows: list[Float32], width: int, filler: float) -> Float32:
    padded = np.full((len(rows), width), filler, np.float32)
    for place, row in enumerate(rows):
        padded[place, : len(row)] = row
    return padded
