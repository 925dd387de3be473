"""Learns the weights of the score's parts from the latest events, held out of a fit.

The log is cut before its last fifth. Item vectors, neighbours and popularity are fitted to what is
older, and the score's parts are computed before a sample of the later likes (`held_out`). Among the
items that are new to their users, `direct_search` finds the weights, and half-lives among a few,
that rank the liked items best; then strangers get a choice of their own (`young_users`), and
repeats a weight among all items (`repeat_search`). The values of a part are divided by their upper
end, the mean of the ten largest of a ranking, so that the search compares like with like; the
parts' total keeps its size, so that queries and exploration keep their meaning.

A young log keeps a prior: shares of the total that suited all logs tried. The search leaves it as
far as the held-out rankings justify. It is run twice, since on some logs, of baskets above all, the
order of likes says nothing, and a prior that trusts it is too far away: the search from one without
order counts where it is certainly better. Popularity alone replaces what was found if it is no
worse on the held-out rankings, or by less than half a standard error; any other part alone, if it
is better by as much.

Few logs are so far from the prior that it is in the way, but on those it costs much: where items
come and go, what is liked now and a taste for its kind are nearly all that counts. So a search
begins where that one ended, and from the best part alone, and barely penalises distance. It is
trusted as far as its kind can be checked: it is run on either half of the rankings too, and judged
by the other half, which it has not seen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from penchant.domain.arrays import Float64, Int64, Mask
from penchant.domain.long_tail import TAIL_SETTINGS
from penchant.domain.settings import FoldSettings
from penchant.logs.interactions import Interactions
from penchant.refresh.direct_search import DirectSearch, Rankings, Weighting
from penchant.refresh.even_sample import even_sample
from penchant.refresh.held_out import (
    FAST,
    FOLD_VARIANTS,
    ITEM_WEIGHTS,
    NEAR,
    OFFSET,
    OFFSET_PACES,
    OPENINGS,
    POPULARITY,
    RECENT_PARTS,
    SLOW,
    SUCCESSORS,
    TABLE_PARTS,
    TRANSITIONS,
    FittedItems,
    HeldOut,
    UpperEnds,
)
from penchant.refresh.item_popularity import POPULARITY_HALF_LIVES_S
from penchant.refresh.learnt_weights import ITEM_WEIGHTS_PRIOR, LEAST_RANKINGS, LearntWeights
from penchant.refresh.part_total import PartTotal
from penchant.refresh.repeat_search import find_repeats
from penchant.refresh.segment_search import choose_segments
from penchant.refresh.tail_search import choose_tail
from penchant.refresh.young_users import Opening, OpeningPart, choose_opening

MOST_RANKINGS = 1000
"""Rankings that the weights are learnt from, at most."""

HELD_OUT = 0.2
"""Share of the events, the latest, that the weights are learnt from."""

UPPER_END = 6.0
"""Sum of the weights times the parts' upper ends: about the best score of a ranking."""

PRIOR_SHARES = {
    POPULARITY: 0.0,
    OFFSET: 0.13,
    SLOW: 0.13,
    FAST: 0.21,
    NEAR: 0.21,
    ITEM_WEIGHTS: 0.17,
    TRANSITIONS: 0.15,
    SUCCESSORS: 0.0,
    OPENINGS: 0.0,
}
"""Shares of the parts' upper ends in the score of a log that says nothing else; good on both film
logs, and changed little by anything near."""

_OF_THE_OTHERS = (OFFSET, SLOW, FAST, NEAR, ITEM_WEIGHTS)

WITHOUT_ORDER = PRIOR_SHARES | {
    TRANSITIONS: 0.0,
    **{
        name: PRIOR_SHARES[name] / sum(PRIOR_SHARES[other] for other in _OF_THE_OTHERS)
        for name in _OF_THE_OTHERS
    },
}
"""The same for a log whose order says nothing, such as one of baskets."""

PRIOR_VARIANTS = {SLOW: 1, FAST: 0} | dict.fromkeys(RECENT_PARTS, 1)
"""Places in `FOLD_VARIANTS` of the half-lives that go with them."""

REPEATS_MATTER = 0.02
"""Share of repeats among the latest likes below which repeats get no weight."""

_VARIED = {
    "ridge": SLOW,
    "half_life_events": SLOW,
    "fast_half_life_events": FAST,
    "near_half_life_events": NEAR,
}
"""The part that each varied setting belongs to."""

SIMPLER = 0.5
"""Standard errors by which a sum of parts must beat popularity, and another part alone the sum."""

CERTAIN = 2.0
"""Standard errors by which a log must be ranked better by weights that began without order, and by
those that count what comes right after the last like."""

BOLD = 0.5
"""What the search that barely penalises distance has in place of `CAUTION`."""

LEAST_CHECKED = 200
"""Rankings below which that search can't be checked."""

IMPERSONAL = (POPULARITY, OFFSET)
"""The parts that are the same for all users."""


def learn_weights(
    events: Interactions,
    fitted: FittedItems,
    cut: int,
    prior: FoldSettings,
    offset_half_life_s: float,
    prior_impressions: float,
    matters: Mask | None = None,
    fixed: Collection[str] = (),
) -> LearntWeights:
    """Learns the weights, and how fast the live offsets fade; deterministic.

    Args:
        events: the log in time order.
        fitted: a fit to the events before `cut`.
        cut: position of the first held-out event.
        prior: the server's settings.
        offset_half_life_s: half-life of the live offsets, in seconds.
        prior_impressions: impressions that every item is credited with.
        matters: events of the objective, whose likes are ranked for, shape (n,); None: all.
        fixed: names of settings that stay whatever is learnt: no time is spent on weights of items
            with few events if both are among them, nor on other half-lives of the live offsets.

    Cost: 1 to 2 ms a ranking for a few thousand items, and a few seconds for the search.
    """
    paces = OFFSET_PACES[:1] if "offset_half_life_s" in fixed else OFFSET_PACES
    log = HeldOut(events, fitted, cut, prior, offset_half_life_s, prior_impressions, paces)
    all_likes = log.liked & log.later
    latest = all_likes if matters is None else all_likes & matters
    fresh, every = np.flatnonzero(latest & log.unseen), np.flatnonzero(latest)
    if len(fresh) < LEAST_RANKINGS:  # Most of what is bought was viewed before.
        fresh = np.flatnonzero(all_likes & log.unseen)
    learnt = LearntWeights(rankings=len(fresh))
    total = PartTotal(_raw(prior), PRIOR_VARIANTS)
    if len(fresh) >= LEAST_RANKINGS:
        learnt, total = _learn_parts(log, even_sample(fresh, MOST_RANKINGS))
        chosen = choose_opening(log, fresh, total, fixed)
        if chosen is not None:
            learnt = _with_opening(learnt, chosen, log)
            total = replace(total, variants={**total.variants, OFFSET: chosen.pace})
        opening = OpeningPart.of(log, total, chosen)
        segments = choose_segments(log, cut, fresh, total, opening)
        if segments is not None:
            gain = (segments.before, segments.after)
            learnt = replace(learnt, segments=segments.factors, segments_gain=gain)
        searched = not set(fixed).issuperset(TAIL_SETTINGS)
        tail = choose_tail(log, cut, fresh, total, opening) if searched else None
        if tail is not None:
            settings = {**learnt.settings, **tail.settings}
            learnt = replace(learnt, settings=settings, tail=(tail.before, tail.after))
    repeated = int(np.count_nonzero(latest & ~log.unseen))
    if repeated < max(LEAST_RANKINGS, REPEATS_MATTER * len(every)):
        return learnt
    repeats = find_repeats(log, even_sample(every, MOST_RANKINGS), total)
    if repeats is None:
        return learnt
    return replace(
        learnt,
        settings={**learnt.settings, **repeats.settings},
        rankings=max(learnt.rankings, min(len(every), MOST_RANKINGS)),
        repeats=(repeats.before, repeats.after),
    )


def _raw(settings: FoldSettings) -> dict[str, float]:
    """The parts' weights by the server's settings, for a log too short to learn from."""
    near = settings.near_weight
    return {
        POPULARITY: 0.0,
        OFFSET: settings.offset_weight,
        SLOW: settings.slow_weight,
        FAST: settings.fast_weight,
        NEAR: near,
        ITEM_WEIGHTS: near * ITEM_WEIGHTS_PRIOR,
        TRANSITIONS: 0.0,
        SUCCESSORS: 0.0,
        OPENINGS: near,
    }


def _learn_parts(log: HeldOut, positions: Int64) -> tuple[LearntWeights, PartTotal]:
    """Learns the weights of all parts but repeats, from likes of items new to their users."""
    rankings, ends = log.rankings(positions)
    names = [part.name for part in rankings.parts]
    search, point = find_weighting(rankings, ends)
    weights = UPPER_END * point.weights / point.weights.sum()
    raw = dict.fromkeys(PRIOR_SHARES, 0.0)
    variants = dict(zip(names, point.variants, strict=True))
    raw |= {
        name: float(weights[place]) / ends[name][variants[name]] for place, name in enumerate(names)
    }
    total = PartTotal(raw, variants)
    without = _without(search, point, names)
    learnt = _as_learnt(total, ends, len(positions), search.ndcg(point), without)
    pace = log.offset_half_lives_s[total.pace]
    return replace(learnt, offset_half_lives_s=(log.offset_half_lives_s[0], pace)), total


def find_weighting(rankings: Rankings, ends: UpperEnds) -> tuple[DirectSearch, Weighting]:
    """The parts' weights and variants that the rankings suggest.

    Args:
        rankings: the held-out rankings, in time order.
        ends: the upper ends of each part.
    """
    search, cautious = search_parts(rankings, ends)
    names = [part.name for part in rankings.parts]
    alone, point = _alone(rankings, cautious), cautious
    single = max(alone, key=search.ndcg)
    same_for_all = [one for one in alone if names[int(one.weights.argmax())] in IMPERSONAL]
    if _ahead(search, single, point) >= SIMPLER:
        point = single
    popular = max(same_for_all, key=search.ndcg, default=point)
    if _ahead(search, popular, point) >= -SIMPLER:
        point = popular
    return search, _bolder(rankings, point, (cautious, single))


def search_parts(rankings: Rankings, ends: UpperEnds) -> tuple[DirectSearch, Weighting]:
    """The best weighting from the prior, or without order where that is certainly better.

    What comes right after the last like is given a weight last, and where that is certainly better.

    Args:
        rankings: the held-out rankings.
        ends: the upper ends of each part.
    """
    names = [part.name for part in rankings.parts]
    last = [place for place, name in enumerate(names) if name == SUCCESSORS]
    found = []
    for shares in (PRIOR_SHARES, WITHOUT_ORDER):
        search = DirectSearch(rankings, _prior(shares, ends, names))
        single = max(_alone(rankings, search.prior), key=search.ndcg)
        start = max(search.prior, single, key=search.value)
        found.append((search, search.improve(start, kept=last)))
    (search, with_order), (_, without_order) = found
    search, point = found[_ahead(search, without_order, with_order) >= CERTAIN]
    if last:
        more = search.improve(point)
        if _ahead(search, more, point) >= CERTAIN:
            point = more
    return search, point


def _bolder(rankings: Rankings, point: Weighting, starts: Sequence[Weighting]) -> Weighting:
    """What a bold search finds, where rankings that it has not seen are certainly better by it.

    Each half of them must gain, and both together by `CERTAIN` standard errors.

    Args:
        rankings: the held-out rankings, in time order.
        point: what stays otherwise.
        starts: where the search begins; the best of what it finds counts.
    """

    def found(in_these: Rankings) -> Weighting:
        search = DirectSearch(in_these, point, BOLD)
        return max(map(search.improve, starts), key=search.value)

    count = len(rankings.chosen)
    if count < LEAST_CHECKED:
        return point
    halves = [rankings.taken(slice(0, count // 2)), rankings.taken(slice(count // 2, count))]
    gained = []
    for learnt_from, judged_by in (halves, halves[::-1]):
        judge = DirectSearch(judged_by, point)
        gained.append(judge.ndcg_of_each(found(learnt_from)) - judge.ndcg_of_each(point))
        if gained[-1].sum() <= 0:  # The usual case; skips the remaining searches.
            return point
    return found(rankings) if _errors_above_0(np.concatenate(gained)) >= CERTAIN else point


def _ahead(search: DirectSearch, one: Weighting, other: Weighting) -> float:
    """Standard errors by which one weighting is better than another."""
    return _errors_above_0(search.ndcg_of_each(one) - search.ndcg_of_each(other))


def _errors_above_0(gained: Float64) -> float:
    """Standard errors by which the mean of what each ranking gained is above 0."""
    error = float(np.sqrt(len(gained)) * gained.std())
    return float(gained.sum()) / error if error else 0.0


def _prior(shares: Mapping[str, float], ends: UpperEnds, names: list[str]) -> Weighting:
    found = prior_shares(ends, shares)
    return Weighting(
        np.array([found[name] for name in names]),
        tuple(PRIOR_VARIANTS.get(name, 0) for name in names),
    )


def prior_shares(ends: UpperEnds, shares: Mapping[str, float] = PRIOR_SHARES) -> dict[str, float]:
    """The prior's shares; an opening weighs as much as a neighbour by co-occurrence."""
    shares = dict(shares)
    if NEAR in ends and OPENINGS in ends:
        shares[OPENINGS] = shares[NEAR] * min(1.0, ends[OPENINGS][0] / ends[NEAR][0])
    return shares


def _alone(rankings: Rankings, prior: Weighting) -> list[Weighting]:
    """Each variant of each part alone: popularity, neighbours and the like."""
    count = len(rankings.parts)
    return [
        Weighting(
            np.eye(count)[place],
            tuple(
                variant if of.name == part.name or (part.tied and of.tied == part.tied) else kept
                for of, kept in zip(rankings.parts, prior.variants, strict=True)
            ),
        )
        for place, part in enumerate(rankings.parts)
        for variant in range(len(part.variants))
    ]


def _without(search: DirectSearch, point: Weighting, names: list[str]) -> dict[str, float]:
    without = {}
    for place in np.flatnonzero(point.weights).tolist():
        weights = point.weights.copy()
        weights[place] = 0.0
        without[names[place]] = search.ndcg(Weighting(weights, point.variants))
    return without


def _as_learnt(
    total: PartTotal,
    ends: UpperEnds,
    rankings: int,
    ndcg: float,
    without: dict[str, float],
) -> LearntWeights:
    raw, variants = total.raw, total.variants
    near = float(sum(raw[name] * ends[name][0] for name in TABLE_PARTS if name in ends))
    factors = {name: raw[name] / near if near else 0.0 for name in TABLE_PARTS}
    settings = {
        "offset_weight": raw[OFFSET],
        "slow_weight": raw[SLOW],
        "fast_weight": raw[FAST],
        "near_weight": near,
    }
    for name, part in _VARIED.items():
        if part in variants and name in FOLD_VARIANTS[variants[part]]:
            settings[name] = FOLD_VARIANTS[variants[part]][name]
    return LearntWeights(
        settings=settings,
        near=factors[NEAR],
        item_weights=factors[ITEM_WEIGHTS],
        transitions=factors[TRANSITIONS],
        successors=factors[SUCCESSORS],
        opening=factors[OPENINGS],
        popularity=raw[POPULARITY],
        popularity_half_life_s=POPULARITY_HALF_LIVES_S[variants.get(POPULARITY, 0)],
        rankings=rankings,
        ndcg=ndcg,
        without=without,
    )


def _with_opening(learnt: LearntWeights, chosen: Opening, log: HeldOut) -> LearntWeights:
    """The same weights with another opening; the other neighbours keep theirs."""
    near = learnt.settings["near_weight"]
    whole = near or 1.0
    return replace(
        learnt,
        settings={
            **learnt.settings,
            "near_weight": whole,
            "opening_half_life_events": chosen.half_life_events,
            # A 0 is left out: servers of the release before do not know the setting.
            **({"opening_offset_weight": chosen.live} if chosen.live else {}),
        },
        near=learnt.near if near else 0.0,
        item_weights=learnt.item_weights if near else 0.0,
        transitions=learnt.transitions if near else 0.0,
        successors=learnt.successors if near else 0.0,
        opening=chosen.begun / whole,
        opening_popularity=tuple(factor / whole for factor in chosen.popularity),
        offset_half_lives_s=(log.offset_half_lives_s[0], log.offset_half_lives_s[chosen.pace]),
        young=(chosen.before, chosen.after),
    )
