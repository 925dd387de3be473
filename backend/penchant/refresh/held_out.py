"""The parts of the score before held-out events, as a server would have computed them then.

Item vectors, neighbours and popularity come from a fit to what is older than the cut; windows, fast
interests and live offsets follow every event.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penchant.domain.arrays import Float32, Float64, Int64
from penchant.domain.event_weights import time_bucket
from penchant.domain.interest import Items, Prior, fold, prior_precision
from penchant.domain.neighbours import OPENING, Neighbours, near_all, opening_weight
from penchant.domain.offsets import decay, log_odds
from penchant.domain.repeats import repeat_all, repeats_of
from penchant.domain.rewards import ResolvedSignal
from penchant.domain.settings import FoldSettings
from penchant.domain.signal_weights import read_signal_weights, signal_code
from penchant.domain.tally import Tally
from penchant.domain.types import (
    NO_WAIT,
    RECENT_DTYPE,
    WINDOW_DTYPE,
    Matrix,
    Recent,
    Vector,
    Window,
)
from penchant.logs.interactions import Interactions
from penchant.refresh.direct_search import Part, Rankings
from penchant.refresh.item_popularity import POPULARITY_HALF_LIVES_S, popularity_of
from penchant.service.catalog_version import gram_of

OFFSET, POPULARITY, OPENINGS = "offset", "popularity", "opening"
SLOW, FAST, NEAR, ITEM_WEIGHTS = "slow", "fast", "near", "item weights"
TRANSITIONS = "transitions"

RECENT_PARTS = (NEAR, ITEM_WEIGHTS, TRANSITIONS)
"""The parts that follow the latest likes, under one half-life."""

TABLE_PARTS = (*RECENT_PARTS, OPENINGS)
"""The parts that the neighbour table holds together."""

FOLD_VARIANTS: tuple[dict[str, float], ...] = (
    {"ridge": 10.0, "fast_half_life_events": 1.5, "near_half_life_events": 2.5},
    {"ridge": 1.5, "fast_half_life_events": 3.0, "near_half_life_events": 5.0},
    {
        "ridge": 1.5,
        "half_life_events": 200.0,
        "fast_half_life_events": 6.0,
        "near_half_life_events": 12.0,
    },
)
"""Settings of the fold that the search chooses from, part by part."""

SHORTLIST = 100
"""The best items of each part that are candidates of a ranking."""

FADED = 12.0
"""Half-lives after which an event no longer counts for the live offsets."""

KEPT = 300
"""Positions, at most, whose live offsets are kept for the next time that they are asked for."""

BEST = 10
"""Values of a part in a ranking whose mean is its upper end."""


@dataclass(frozen=True, slots=True)
class FittedItems:
    """The result of a fit to a part of the log, for n items."""

    vectors: Matrix
    """Shape (n, d)."""
    near: Neighbours
    """Neighbours by co-occurrence, the opening's row first."""
    item_weights: Neighbours
    """Neighbours by regression (`item_weights`); row 0 is empty."""
    transitions: Neighbours
    """What is liked next, by regression (`transitions`); row 0 is empty."""


class HeldOut:
    """The log, cut; computes the parts of the score before any of its events."""

    def __init__(
        self,
        events: Interactions,
        fitted: FittedItems,
        cut: int,
        prior: FoldSettings,
        offset_half_life_s: float,
        prior_impressions: float,
    ) -> None:
        self.events = events
        self._half_life_s = offset_half_life_s
        self._prior_impressions = prior_impressions
        self.items = len(fitted.vectors)
        self.reward = np.maximum(0.0, events.reward.astype(np.float64))
        self.liked = self.reward > 0
        self.later = np.arange(len(events.item)) >= cut
        pairs = events.user * self.items + events.item
        self.unseen = np.zeros(len(pairs), np.bool_)
        self.unseen[np.unique(pairs, return_index=True)[1]] = True
        order = np.argsort(events.user, kind="stable")
        self._by_user, self._place = order, np.empty_like(order)
        self._place[order] = np.arange(len(order))
        _, first, self._group = np.unique(
            events.user[order], return_index=True, return_inverse=True
        )
        self._first = first
        self.earlier = np.empty_like(order)
        """Number of the user's events before each event, shape (n,)."""
        self.earlier[order] = np.arange(len(order)) - first[self._group]
        self._codes = _codes_of(events)
        self._counted = self._count()
        self._offsets: dict[bytes, Float32] = {}
        self._fold_with(fitted, cut, prior, FOLD_VARIANTS)

    def _fold_with(
        self,
        fitted: FittedItems,
        cut: int,
        prior: FoldSettings,
        variants: Sequence[Mapping[str, float]],
    ) -> None:
        """Takes a fit and settings into use; the events and their live offsets stay."""
        self.fitted, self.prior, events = fitted, prior, self.events
        gram = gram_of(fitted.vectors, np.ones(self.items, np.bool_))
        self._folds = [
            (settings, Prior(prior_precision(gram, settings), np.zeros(len(gram))))
            for settings in (dataclasses.replace(prior, **chosen) for chosen in variants)  # type: ignore[arg-type]  # Values are of the fields' types.
        ]
        before = slice(0, cut)
        counted = weighed_rewards(events, prior.signal_weights)[before]
        self.popularity = [
            popularity_of(events.item[before], counted, events.at_us[before], self.items, half)
            for half in POPULARITY_HALF_LIVES_S
        ]
        self.opening = near_all(fitted.near, _opening(1.0), self.items)

    def weighing(
        self, fitted: FittedItems, cut: int, signal_weights: str, variant: Mapping[str, float]
    ) -> HeldOut:
        """The same events with factors of signals, and one variant of the fold alone.

        Args:
            fitted: a fit to the events before `cut`.
            cut: position of the first held-out event.
            signal_weights: see `penchant.domain.signal_weights`.
            variant: settings of the fold.
        """
        other = copy.copy(self)
        prior = dataclasses.replace(self.prior, signal_weights=signal_weights)
        other._fold_with(fitted, cut, prior, (variant,))
        return other

    def offsets(self, positions: Int64) -> Float32:
        """The live offsets before each of the positions, in time order, shape (n, items)."""
        if len(positions) > KEPT:
            return self._offsets_before(positions)
        known = self._offsets.get(positions.tobytes())
        if known is None:
            known = self._offsets[positions.tobytes()] = self._offsets_before(positions)
        return known

    def _offsets_before(self, positions: Int64) -> Float32:
        events, offsets = self.events, np.empty((len(positions), self.items), np.float32)
        counted, after = self._counted
        item, at_us = events.item[counted], events.at_us[counted]
        positives, as_of_us = np.zeros(self.items), np.zeros(self.items)
        nothing, done = np.zeros(self.items), 0
        for row, position in enumerate(positions.tolist()):
            until = int(np.searchsorted(counted, position))
            positives[item[done:until]] = after[done:until]
            as_of_us[item[done:until]] = at_us[done:until]
            done = until
            age_us = events.at_us[max(0, position - 1)] - as_of_us
            likes = positives * np.exp2(-age_us / (self._half_life_s * 1e6))
            offsets[row] = log_odds(likes, nothing, self._prior_impressions)
        return offsets

    def _count(self) -> tuple[Int64, Float64]:
        """The events that change an item's counters, and its positives after each of them."""
        events, cut = self.events, int(np.argmax(self.later))
        earliest_us = int(events.at_us[cut] - FADED * self._half_life_s * 1e6)
        first = int(np.searchsorted(events.at_us, earliest_us))
        # A first event without a reward adds nothing.
        counted = first + np.flatnonzero(self.liked[first:] | ~self.unseen[first:])
        weights = np.ones(len(events.item)) if events.weight is None else events.weight
        if self.unseen[counted].all():
            gained = np.maximum(0.0, events.reward[counted].astype(np.float64)) * weights[counted]
            item, at_us = events.item[counted], events.at_us[counted]
            return counted, _decayed_sums(item, gained, at_us, self._half_life_s)
        tally = Tally(self._half_life_s)
        rows = zip(
            events.user[counted].tolist(),
            events.item[counted].tolist(),
            events.reward[counted].tolist(),
            weights[counted].tolist(),
            events.at_us[counted].tolist(),
            strict=True,
        )
        after = [
            tally.count(user, item, ResolvedSignal(reward, weight, None), at_us).positives
            for user, item, reward, weight, at_us in rows
        ]
        return counted, np.array(after, np.float64)

    def window(self, position: int) -> Window:
        """The user's window before the event at a position."""
        place = int(self._place[position])
        start = max(int(self._first[self._group[place]]), place - self.prior.window_events)
        rows = self._by_user[start:place]
        window = np.zeros(len(rows), WINDOW_DTYPE)
        window["occurred_at_us"] = self.events.at_us[rows]
        window["item"] = self.events.item[rows]
        window["reward"] = self.events.reward[rows]
        window["weight"] = 1.0 if self.events.weight is None else self.events.weight[rows]
        window["wait_s"] = NO_WAIT
        window["signal"] = self._codes[rows]
        return window

    def seen(self, position: int) -> Int64:
        """The items that the user had an event about before a position."""
        place = int(self._place[position])
        start = int(self._first[self._group[place]])
        items: Int64 = self.events.item[self._by_user[start:place]]
        return items

    def personal(
        self, position: int, needed: Mapping[str, int] | None = None
    ) -> dict[str, list[Vector]]:
        """The variants of the personal parts before an event, shape (items,) each.

        Args:
            position: of the event.
            needed: the one variant of each part that is computed, zeros stand for all others;
                None: all are.
        """
        window, fitted = self.window(position), self.fitted
        vectors = fitted.vectors
        tables = {
            NEAR: fitted.near,
            ITEM_WEIGHTS: fitted.item_weights,
            TRANSITIONS: fitted.transitions,
        }
        items = Items(vectors[window["item"]], np.ones(len(window), np.bool_))
        parts: dict[str, list[Vector]] = {name: [] for name in (SLOW, FAST, *RECENT_PARTS)}
        parts[OPENINGS] = [self.opening_share(position) * self.opening]
        nothing = np.zeros(self.items, np.float32)
        for place, (settings, prior) in enumerate(self._folds):
            wanted = [name for name in parts if needed is None or needed.get(name) == place]
            for name in parts:
                if name != OPENINGS and name not in wanted:
                    parts[name].append(nothing)
            if not {SLOW, FAST, *RECENT_PARTS} & set(wanted):
                continue
            bucket = time_bucket(int(self.events.at_us[position]), settings)
            interest = fold(prior, window, items, bucket, settings)
            if SLOW in wanted:
                slow = interest.slow.reshape(settings.interests, -1)
                parts[SLOW].append((slow @ vectors.T).max(axis=0))
            if FAST in wanted:
                parts[FAST].append(vectors @ interest.fast)
            likes = interest.recent[interest.recent["item"] != OPENING]
            for name, table in tables.items():
                if name in wanted:
                    parts[name].append(near_all(table, likes, self.items))
        return parts

    def opening_share(self, position: int, half_life_events: float | None = None) -> np.float32:
        """The weight a_0 of the opening before an event; default half-life: the server's."""
        half_life = half_life_events or self.prior.opening_half_life_events
        return np.float32(opening_weight(int(self.earlier[position]), half_life))

    def repeats(self, position: int, variants: Sequence[FoldSettings]) -> list[Vector]:
        """The repeats before an event under some settings, shape (items,) each."""
        window, at_us = self.window(position), int(self.events.at_us[position])
        return [
            repeat_all(repeats_of(window, time_bucket(at_us, chosen), chosen), self.items)
            for chosen in variants
        ]

    def each(
        self, positions: Int64, needed: Mapping[str, int] | None = None
    ) -> Iterator[tuple[int, dict[str, list[Vector]]]]:
        """The variants of all parts but repeats before each position, shape (items,) each.

        Args:
            positions: of the events, in time order.
            needed: see `personal`.
        """
        for position, offsets in zip(positions.tolist(), self.offsets(positions), strict=True):
            parts = {POPULARITY: self.popularity, OFFSET: [offsets]}
            yield position, parts | self.personal(position, needed)

    def rankings(self, positions: Int64) -> tuple[Rankings, dict[str, float]]:
        """The shortlists of the items that are new to their users, and the parts' upper ends.

        Each part is divided by its upper end; one whose upper end is 0 everywhere is left out.
        """
        picked: list[Int64] = []
        values: dict[str, list[list[Vector]]] = {}
        ends: dict[str, list[float]] = {}
        for position, parts in self.each(positions):
            hidden = self.seen(position)
            own = int(self.events.item[position])
            shown = np.zeros(self.items, np.bool_)
            shown[own] = True
            for name, variants in parts.items():
                for place, variant in enumerate(variants):
                    best = best_places(variant, hidden)
                    shown[best] = True
                    if place == 0:
                        ends.setdefault(name, []).append(float(variant[best[:BEST]].mean()))
            shown[hidden] = False
            shown[own] = True
            places = np.flatnonzero(shown)
            picked.append(places)
            for name, variants in parts.items():
                values.setdefault(name, []).append([variant[places] for variant in variants])
        scales = {name: float(np.mean(of_each)) for name, of_each in ends.items()}
        scales = {name: scale for name, scale in scales.items() if scale > 1e-9}
        width = max(map(len, picked))
        parts_of = tuple(
            Part(
                name,
                tuple(
                    _padded(values[name], variant, width, scale)
                    for variant in range(len(values[name][0]))
                ),
                tied=NEAR if name in RECENT_PARTS else "",
            )
            for name, scale in scales.items()
        )
        own_places = [
            int(np.searchsorted(places, self.events.item[position]))
            for places, position in zip(picked, positions.tolist(), strict=True)
        ]
        candidate = np.arange(width) < np.array([len(places) for places in picked])[:, None]
        rankings = Rankings(parts_of, np.array(own_places), candidate, self.reward[positions])
        return rankings, scales


def _decayed_sums(item: Int64, gained: Float64, at_us: Int64, half_life_s: float) -> Float64:
    """The item's sum after each event where no user meets an item twice, as `Tally` counts it."""
    sums: dict[int, float] = {}
    newest: dict[int, int] = {}
    after = []
    for one, gain, now in zip(item.tolist(), gained.tolist(), at_us.tolist(), strict=True):
        total = sums.get(one, 0.0) * decay(now - newest.get(one, 0), half_life_s) + gain
        sums[one], newest[one] = total, now
        after.append(total)
    return np.array(after, np.float64)


def best_places(values: Vector, hidden: Int64) -> Int64:
    """The places of the `SHORTLIST` largest values outside `hidden`, the `BEST` first."""
    visible = values.copy()
    visible[hidden] = -np.inf
    if len(visible) <= SHORTLIST:
        return np.argsort(-visible, kind="stable")
    return np.argpartition(-visible, (BEST, SHORTLIST))[:SHORTLIST]


def _padded(values: list[list[Vector]], variant: int, width: int, scale: float) -> Float32:
    padded = np.zeros((len(values), width), np.float32)
    for row, variants in enumerate(values):
        of_row = variants[variant]
        padded[row, : len(of_row)] = of_row / scale
    return padded


def weighed_rewards(events: Interactions, signal_weights: str) -> Float64:
    """Positive rewards times the factors of their signals, 0 for other events, shape (n,)."""
    rewards = np.maximum(0.0, events.reward.astype(np.float64))
    factors = read_signal_weights(signal_weights)
    if events.signal is None or not factors:
        return rewards
    of_each = np.array([factors.get(name, 1.0) for name in events.signals])
    weighed: Float64 = rewards * of_each[events.signal]
    return weighed


def _codes_of(events: Interactions) -> NDArray[np.uint16]:
    """The signals of the events as windows hold them, shape (n,)."""
    if events.signal is None:
        return np.zeros(len(events.item), np.uint16)
    codes = np.array([signal_code(name) for name in events.signals], np.uint16)
    of_each: NDArray[np.uint16] = codes[events.signal]
    return of_each


def _opening(weight: float) -> Recent:
    return np.array([(OPENING, weight)], RECENT_DTYPE)
