"""Chooses what users see who have no history yet, or a short one.

A stranger's ranking is the offset and the opening, which fades as events come
(`penchant.domain.neighbours`). On some logs users begin with a few items of their own kind, on
others with what is popular at this hour, lately, or always was; and on some the first events say
much of a user's taste, on others next to nothing. So the opening is a mixture of sources, each
divided by its upper end, of some size and half-life:

    a_0 opening,   a_0 = 2^(-n / h_open),
    opening = a begun(i) + sum_k b_k popularity_k(i) + c_open b_i

from one that the other parts outweigh at once to one that leaves them nothing for a dozen events.
All but b_i, the live offset (`penchant.domain.beginners`), are the opening's row of the neighbour
table. Where the other parts give the live offset a weight, its pace is theirs; where they give it
none, strangers choose that too.
They are chosen by held-out likes of users with fewer than `YOUNG` events, in three bands:

    sum_b n_b g_b + v_b min(0, g_b - s_b),   v_b = sqrt(n_b), sum n = sum v = 1

where n_b is the share of the likes that are in band b, g_b their mean NDCG@10, and s_b the best
that one popularity alone has there: what is below popularity in any band pays for it, in the small
ones too. Of the openings that are not worse than the best by `BETTER` standard errors of the
difference, the one with the least size times half-life is taken: the one in force where it is one
of them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from penchant.domain.arrays import Float32, Float64, Int64
from penchant.domain.neighbours import opening_weight
from penchant.domain.types import Vector
from penchant.refresh.direct_search import TOP
from penchant.refresh.even_sample import even_sample
from penchant.refresh.held_out import BEST, OFFSET, OPENINGS, POPULARITY, HeldOut, best_places
from penchant.refresh.part_total import PartTotal

BANDS = (1, 6)
"""Events from which the second and the third band begin; the first has no history."""

YOUNG = 21
"""Events from which a user is no longer young."""

LEAST_YOUNG = 30
"""Held-out likes of young users below which the row stays as it is."""

MOST_OF_BAND = 250
"""Held-out likes of a band that the row is chosen by, at most."""

BETTER = 1.0
"""Standard errors of a difference that are taken for noise."""

SIZES = (1.5, 3.0, 6.0, 12.0, 24.0)
"""Upper ends of the row that are tried, in units of the score; the other parts' is 6."""

HALF_LIVES_EVENTS = (1.5, 3.0, 6.0)
"""Half-lives of the row that are tried."""

MOST_SOURCES = 2
"""Sources that are mixed, at most, in equal parts."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The opening that suits young users, and how it fades."""

    begun: float
    """Factor of what users begin with."""
    popularity: tuple[float, ...]
    """Factors of the popularities (`POPULARITY_HALF_LIVES_S`)."""
    live: float
    """c_open: factor of the live offset."""
    pace: int
    """The variant of the live offset, for all users."""
    half_life_events: float
    """h_open."""
    rankings: int
    """Held-out likes that it was chosen by."""
    before: float
    """NDCG@10 of young users with the opening in force before."""
    after: float
    """The same with this one."""


@dataclass(frozen=True, slots=True)
class _Tried:
    factors: tuple[float, ...]
    """Of each source."""
    half_life_events: float
    reach: float = 0.0
    """Upper end times half-life."""


@dataclass(frozen=True, slots=True)
class OpeningPart:
    """What strangers see, as a part of the score of all users."""

    row: Vector
    """What does not change with the events, weighted, shape (items,)."""
    live: float
    """c_open: weight of the live offset."""
    half_life_events: float
    """h_open."""

    @classmethod
    def of(cls, log: HeldOut, total: PartTotal, chosen: Opening | None) -> OpeningPart:
        """The part of an opening that was chosen; None: of the one in force."""
        if chosen is None:
            in_force = np.float32(total.raw[OPENINGS]) * log.opening
            live = log.prior.opening_offset_weight  # 0, unless it was set by name.
            return cls(in_force, live, log.prior.opening_half_life_events)
        row = np.float32(chosen.begun) * log.opening
        for factor, popularity in zip(chosen.popularity, log.popularity, strict=True):
            row = row + np.float32(factor) * popularity
        return cls(row, chosen.live, chosen.half_life_events)

    def scores(self, total: PartTotal, parts: dict[str, list[Vector]], events: int) -> Vector:
        """The score of a user with some events, this opening among its parts, shape (items,).

        Args:
            total: the weights of all parts.
            parts: the variants of each part, shape (items,) each.
            events: number of the user's events.
        """
        begun = np.float32(opening_weight(events, self.half_life_events))
        live = np.float32(self.live) * parts[OFFSET][total.pace]
        scores: Vector = total.of(parts, without=(OPENINGS,)) + begun * (self.row + live)
        return scores


def choose_opening(
    log: HeldOut, positions: Int64, total: PartTotal, fixed: Collection[str] = ()
) -> Opening | None:
    """Chooses the opening; None: the one in force stays. Deterministic.

    Args:
        log: the held-out events.
        positions: likes of items new to their users, in time order.
        total: the weights of all parts.
        fixed: names of settings that stay whatever is learnt. Where the weight of the live offset
            for strangers is one of them, or that for all users is fixed at 0, it is no source.

    Cost: 2 to 3 ms a ranking for a few thousand items, of which the live offsets of all paces are
    a half.
    """
    young = positions[log.earlier[positions] < YOUNG]
    if len(young) < LEAST_YOUNG:
        return None
    counts = np.bincount(_bands(log, young), minlength=1 + len(BANDS))
    young = _some_of_each(log, young)
    band = _bands(log, young)
    lasting = np.stack([log.opening, *log.popularity])
    paces = _free_paces(log, total, fixed)
    nothing = (0.0,) * (len(log.popularity) + len(paces))
    now = _Tried((total.raw[OPENINGS], *nothing), log.prior.opening_half_life_events)
    tried = [now, *_openings(log, young, lasting, paces)]
    if not paces:  # The live offset keeps its weight for strangers in all that is tried.
        paces, kept = [total.pace], log.prior.opening_offset_weight
        tried = [replace(one, factors=(*one.factors, kept)) for one in tried]
    gains, simple = _gains(log, young, total, lasting, paces, tried)
    present = np.unique(band)
    means = np.stack([gains[band == one].mean(axis=0) for one in present])
    floor = np.stack([simple[band == one].mean(axis=0).max() for one in present])
    share, root = counts[present] / counts.sum(), np.sqrt(counts[present])
    value = share @ means + root / root.sum() @ np.minimum(0.0, means - floor[:, None])
    weight = (counts / np.bincount(band, minlength=len(counts)).clip(1))[band] / counts.sum()
    behind = gains[:, [value.argmax()]] - gains
    errors = np.sqrt(weight**2 @ (behind - weight @ behind) ** 2)
    good = np.flatnonzero(value.max() - value <= BETTER * errors)
    best = int(good[np.argmin([tried[place].reach for place in good.tolist()])])
    if best == 0:
        return None
    before, after = (share @ means)[[0, best]].tolist()
    begun, *others = tried[best].factors
    popularity, live = others[: len(log.popularity)], np.array(others[len(log.popularity) :])
    return Opening(
        begun,
        tuple(popularity),
        live=float(live.sum()),  # One pace counts, at most.
        pace=paces[int(live.argmax())],
        half_life_events=tried[best].half_life_events,
        rankings=len(young),
        before=before,
        after=after,
    )


def _free_paces(log: HeldOut, total: PartTotal, fixed: Collection[str]) -> list[int]:
    """The variants of the live offset that strangers may choose from."""
    unwanted = "offset_weight" in fixed and not log.prior.offset_weight
    if unwanted or "opening_offset_weight" in fixed:
        return []
    if total.raw[OFFSET] or "offset_weight" in fixed:
        return [total.pace]
    return list(range(len(log.offset_half_lives_s)))


def _bands(log: HeldOut, positions: Int64) -> Int64:
    return np.searchsorted(BANDS, log.earlier[positions], side="right")


def _some_of_each(log: HeldOut, young: Int64) -> Int64:
    """At most `MOST_OF_BAND` likes of each band, evenly spread, in time order."""
    band, kept = _bands(log, young), []
    for one in range(1 + len(BANDS)):
        kept.append(even_sample(young[band == one], MOST_OF_BAND))
    return np.sort(np.concatenate(kept))


def _openings(log: HeldOut, young: Int64, lasting: Float32, paces: list[int]) -> list[_Tried]:
    """Those that are tried: one source or two, in each size and with each half-life.

    Args:
        log: the held-out events.
        young: the likes that the opening is chosen by.
        lasting: the sources that stay until the next refresh, shape (sources, items).
        paces: variants of the live offset, each a source too; never two of them together.
    """
    ends = np.append(_upper_ends(lasting), [_live_end(log, young, pace) for pace in paces])
    count = len(ends)
    mixtures = {
        tuple(float(place in pair) for place in range(count))
        for pair in product(range(count), repeat=MOST_SOURCES)
        if all(ends[place] > 0 for place in pair)
        and (pair[0] == pair[1] or min(pair) < len(lasting))
    }
    tried = []
    for mixture in sorted(mixtures):
        part = np.array(mixture) / sum(mixture) / np.where(ends > 0, ends, 1.0)
        for size, half_life in product(SIZES, HALF_LIVES_EVENTS):
            tried.append(_Tried(tuple((size * part).tolist()), half_life, size * half_life))
    return tried


def _upper_ends(sources: Float32) -> Float64:
    """The mean of the largest values of each source."""
    best = np.partition(sources, -min(BEST, sources.shape[1]), axis=1)[:, -BEST:]
    ends: Float64 = np.sort(best, axis=1).mean(axis=1, dtype=np.float64)
    return ends


def _live_end(log: HeldOut, young: Int64, pace: int) -> float:
    return float(np.mean([_upper_ends(one[None])[0] for one in log.offsets(young, pace)]))


def _gains(
    log: HeldOut,
    positions: Int64,
    total: PartTotal,
    lasting: Float32,
    paces: list[int],
    tried: list[_Tried],
) -> tuple[Float64, Float64]:
    """NDCG@10 of each ranking under each opening, shape (n, tried), and by each popularity alone.

    Candidates are the items that a source or the other parts put first: no other item can reach the
    first ten of their sum.
    """
    factors = np.array([one.factors for one in tried], np.float32)
    half_lives = sorted({one.half_life_events for one in tried})
    place = np.array([half_lives.index(one.half_life_events) for one in tried])
    every = range(len(log.offset_half_lives_s))
    live = zip(*(log.offsets(positions, pace) for pace in every), strict=True)
    gains, simple = [], []
    for (position, parts), offsets in zip(log.each(positions, total.needed), live, strict=True):
        own, hidden = int(log.events.item[position]), log.seen(position)
        others = total.of(parts, without=(OPENINGS,))
        sources = np.stack([*lasting, *(offsets[pace] for pace in paces)])
        alone: list[Vector] = [*parts[POPULARITY], *offsets]
        first = [best_places(one, hidden) for one in (others, *lasting, *alone)]
        rivals = np.setdiff1d(np.unique(np.concatenate(first)), np.append(hidden, own))
        events = int(log.earlier[position])
        fades = np.array([opening_weight(events, one) for one in half_lives], np.float32)
        shares = factors * fades[place][:, None]
        lead = shares @ (sources[:, rivals] - sources[:, [own]])
        lead += others[rivals] - others[own]
        gains.append(_ndcg(lead))
        simple.append(_ndcg(np.stack([one[rivals] - one[own] for one in alone])))
    return np.stack(gains), np.stack(simple)


def _ndcg(lead: Float32) -> Float64:
    """NDCG@10 from each row of the rivals' leads; equal scores share their ranks."""
    rank = 1 + (lead > 0).sum(axis=1) + (lead == 0).sum(axis=1) / 2
    gain: Float64 = np.where(rank <= TOP, 1 / np.log2(1 + rank), 0.0)
    return gain
