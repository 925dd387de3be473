"""Finds how much each signal says about the objective, on held-out events of the objective.

The signal table is the prior: all factors are 1 (`penchant.domain.signal_weights`). A search
changes one factor at a time and ranks for held-out events of the objective: for those about items
new to their users among the new items, by all parts but repeats; for the others among all items,
with repeats. A change must pay by more than `CAUTION` standard errors of its gain, ranking by
ranking.

A signal of factor 0 leaves vectors and neighbours too: what tells nothing about a user tells
nothing about items either. Each set of signals that is left out takes a fit of its own, of which
there are a few at most.

It searches on every other held-out event. On the rest, which it has not seen, what it found must
beat the signal table once more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from penchant.domain.arrays import Float64, Int64, Mask
from penchant.domain.settings import FoldSettings
from penchant.domain.signal_weights import write_signal_weights
from penchant.logs.interactions import Interactions
from penchant.refresh.direct_search import TOP, DirectSearch, Weighting
from penchant.refresh.even_sample import even_sample
from penchant.refresh.held_out import FAST, FOLD_VARIANTS, NEAR, SLOW, FittedItems, HeldOut
from penchant.refresh.learnt_weights import LEAST_RANKINGS
from penchant.refresh.part_total import PartTotal
from penchant.refresh.part_weights import PRIOR_VARIANTS, REPEATS_MATTER, UPPER_END, prior_shares

FACTORS = (0.0, 0.2, 1.0, 4.0)
"""Factors that are tried."""

CAUTION = 1.0
"""Standard errors of its gain that leaving the signal table costs."""

MOST_RANKINGS = 200
"""Rankings of each kind, for items new to their users and for others, in each half."""

MANY_ITEMS = 4000
FEW_FITS, MOST_FITS = 2, 6
"""Fits without some signals, at most: for catalogs of more items than that, and for others."""

LEAST_EVENTS = 50
"""Events of a signal below which its factor stays 1."""

_ROUNDS = 2

_REPEATS = tuple(
    {"repeat_half_life_s": days * 86400.0, "repeat_pause_s": pause_s}
    for days, pause_s in ((7.0, 0.0), (30.0, 0.0), (7.0, 3600.0))
)
_REPEAT_SHARES = (0.5, 2.0)
"""Repeats that a ranking among all items is tried with, the weights in multiples of UPPER_END."""

Refit = Callable[[Interactions], FittedItems]
"""Fits vectors and neighbours to events."""


@dataclass(frozen=True, slots=True)
class FoundSignals:
    """The factors that rank held-out events of the objective best."""

    factors: Mapping[str, float]
    """By signal; 1 for one that is not named."""
    fitted: FittedItems
    """The fit to the older events that goes with them."""
    dropped: tuple[str, ...]
    """Signals whose likes vectors and neighbours are not made of."""
    before: float
    """NDCG@10 with the signal table alone, on events that the search has not seen."""
    after: float
    """The same with the factors."""

    @property
    def text(self) -> str:
        """The factors as the setting `signal_weights`."""
        return write_signal_weights(self.factors)


def find_signals(
    log: HeldOut, cut: int, objective: tuple[str, ...], refit: Refit
) -> FoundSignals | None:
    """Finds factors; None: the signal table stays as it is. Deterministic.

    Args:
        log: the held-out events, with a fit to those before `cut` that nothing was dropped from.
        cut: position of the first held-out event.
        objective: the signals that matter; their own factors stay 1.
        refit: fits to a part of the events before `cut`.

    Cost: some 20 times that of 800 rankings, and at most `MOST_FITS` more fits.
    """
    events = log.events
    others = _others(events, objective)
    rankings = _positions(log, events.of_signals(objective))
    if not others or not any(map(len, rankings)):
        return None
    seen, unseen = (tuple(one[start::2] for one in rankings) for start in (0, 1))
    trial, fits = _Trial(log, cut, seen), _Fits(log, cut, refit)
    factors = _search(trial, fits, others)
    if not factors:
        return None
    judge = _Trial(log, cut, unseen)
    before = judge.mean(judge.gains({}, log.fitted, trial))
    after = judge.mean(judge.gains(factors, fits.without(factors), trial))
    if after <= before:
        return None
    return FoundSignals(factors, fits.without(factors), fits.dropped(factors), before, after)


def without_signals(events: Interactions, names: tuple[str, ...]) -> Interactions:
    """The events that have none of the signals."""
    return events.taken(~events.of_signals(names)) if names else events


def _others(events: Interactions, objective: tuple[str, ...]) -> list[str]:
    """The other signals that can have a factor, the most frequent first."""
    assert events.signal is not None
    counts = np.bincount(events.signal, minlength=len(events.signals)).tolist()
    met = [
        (-count, name)
        for name, count in zip(events.signals, counts, strict=True)
        if count >= LEAST_EVENTS and name not in objective
    ]
    return [name for _, name in sorted(met)]


def _positions(log: HeldOut, matters: Mask) -> tuple[Int64, Int64]:
    """Held-out events of the objective: of items new to their users, and of others."""
    latest = log.liked & log.later & matters
    fresh, known = np.flatnonzero(latest & log.unseen), np.flatnonzero(latest & ~log.unseen)
    if len(fresh) < LEAST_RANKINGS:
        fresh = fresh[:0]
    if len(known) < max(LEAST_RANKINGS, REPEATS_MATTER * (len(fresh) + len(known))):
        known = known[:0]
    return fresh, known


class _Trial:
    """Rankings for some held-out events, and their NDCG@10 under any factors."""

    def __init__(self, log: HeldOut, cut: int, positions: tuple[Int64, ...]) -> None:
        self._log, self._cut = log, cut
        self._fresh, self._known = (even_sample(one, MOST_RANKINGS) for one in positions)
        shares = np.array([len(one) for one in positions], np.float64)
        of_each = np.repeat(
            shares / np.maximum(1, [len(self._fresh), len(self._known)]),
            [len(self._fresh), len(self._known)],
        )
        self._weight = of_each / of_each.sum()
        self._repeats: dict[str, int] = {}

    def mean(self, gains: Float64) -> float:
        """The mean NDCG@10, each kind of event as often as the log has it."""
        return float(self._weight @ gains)

    def surely(self, gained: Float64) -> float:
        """The mean of gains less `CAUTION` standard errors."""
        mean = self._weight @ gained
        error = np.sqrt((self._weight**2 * (gained - mean) ** 2).sum())
        return float(mean - CAUTION * error)

    def gains(
        self, factors: Mapping[str, float], fitted: FittedItems, chosen_by: _Trial | None = None
    ) -> Float64:
        """NDCG@10 of each ranking, shape (n,).

        Args:
            factors: by signal; 1 for one that is not named.
            fitted: a fit to the older events.
            chosen_by: the trial that chose the repeats for these factors; None: this one does.
        """
        signal_weights = write_signal_weights(factors)
        log = self._log.weighing(fitted, self._cut, signal_weights, _variant())
        of_any = self._fresh if len(self._fresh) else self._known
        rankings, ends = log.rankings(of_any)
        shares = prior_shares(ends)
        raw = {name: UPPER_END * shares[name] / end for name, (end, *_) in ends.items()}
        found: list[Float64] = []
        if len(self._fresh):
            weights = np.array([shares[part.name] for part in rankings.parts])
            point = Weighting(weights, (0,) * len(weights))
            search = DirectSearch(rankings, point)
            found.append(search.ndcg_of_each(point) * len(self._fresh))
        if len(self._known):
            tried = self._with_repeats(log, PartTotal(raw, {}))
            chooser = chosen_by or self
            place = chooser._repeats.get(signal_weights)
            if place is None:
                place = self._repeats[signal_weights] = int(tried.mean(axis=0).argmax())
            found.append(tried[:, place])
        return np.concatenate(found)

    def _with_repeats(self, log: HeldOut, total: PartTotal) -> Float64:
        """NDCG@10 among all items under each kind of repeats, shape (n, kinds)."""
        settings = [_with(log.prior, repeats) for repeats in _REPEATS]
        gains = np.zeros((len(self._known), len(_REPEATS) * len(_REPEAT_SHARES)))
        for row, (position, parts) in enumerate(log.each(self._known)):
            others, own = total.of(parts), int(log.events.item[position])
            repeats = log.repeats(position, settings)
            for place, part in enumerate(repeats):
                for offset, share in enumerate(_REPEAT_SHARES):
                    scores = others + np.float32(share * UPPER_END) * part
                    lead = scores - scores[own]
                    rank = 1 + np.count_nonzero(lead > 0) + (np.count_nonzero(lead == 0) - 1) / 2
                    gain = 1 / np.log2(1 + rank) if rank <= TOP else 0.0
                    gains[row, place * len(_REPEAT_SHARES) + offset] = gain
        return gains


class _Fits:
    """Fits to the older events, without the likes of some signals; each is made once."""

    def __init__(self, log: HeldOut, cut: int, refit: Refit) -> None:
        self._before = log.events.taken(slice(0, cut))
        self._refit = refit
        likes = log.events.likes_by_signal()
        self._liked = {name for name, count in likes.items() if count}
        self._made: dict[tuple[str, ...], FittedItems] = {(): log.fitted}
        self._most = 1 + (FEW_FITS if log.items > MANY_ITEMS else MOST_FITS)

    def dropped(self, factors: Mapping[str, float]) -> tuple[str, ...]:
        """The signals that the fit for these factors leaves out."""
        return tuple(
            sorted(name for name, factor in factors.items() if not factor and name in self._liked)
        )

    def affords(self, factors: Mapping[str, float]) -> bool:
        """Whether the fit for these factors is there, or may be made."""
        return self.dropped(factors) in self._made or len(self._made) < self._most

    def without(self, factors: Mapping[str, float]) -> FittedItems:
        """The fit for these factors."""
        dropped = self.dropped(factors)
        if dropped not in self._made:
            self._made[dropped] = self._refit(without_signals(self._before, dropped))
        return self._made[dropped]


def _search(trial: _Trial, fits: _Fits, others: list[str]) -> dict[str, float]:
    """The factors that surely gain most over the signal table; those that are 1 are not named."""
    table = trial.gains({}, fits.without({}))
    known: dict[str, float] = {"": 0.0}

    def value(factors: Mapping[str, float]) -> float:
        text = write_signal_weights(factors)
        if text not in known:
            affords = fits.affords(factors)
            known[text] = (
                trial.surely(trial.gains(factors, fits.without(factors)) - table)
                if affords
                else -np.inf
            )
        return known[text]

    best: dict[str, float] = max(({}, dict.fromkeys(others, 0.0)), key=value)
    for _ in range(_ROUNDS):
        before = best
        for name in others:
            rest = {of: factor for of, factor in best.items() if of != name}
            changed = [{**rest, name: factor} if factor != 1.0 else rest for factor in FACTORS]
            best = max([best, *changed], key=value)
        if best == before:
            break
    return dict(sorted(best.items()))


def _variant() -> dict[str, float]:
    """The prior's settings of the fold."""
    fast = FOLD_VARIANTS[PRIOR_VARIANTS[FAST]]["fast_half_life_events"]
    near = FOLD_VARIANTS[PRIOR_VARIANTS[NEAR]]["near_half_life_events"]
    return {
        "ridge": FOLD_VARIANTS[PRIOR_VARIANTS[SLOW]]["ridge"],
        "fast_half_life_events": fast,
        "near_half_life_events": near,
    }


def _with(settings: FoldSettings, repeats: Mapping[str, float]) -> FoldSettings:
    return dataclasses.replace(settings, **repeats)  # type: ignore[arg-type]  # Of the fields' types.
