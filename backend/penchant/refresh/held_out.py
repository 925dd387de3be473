"""The parts of the score before held-out events, as a server would have computed them then.

Item vectors, neighbours and popularity come from a fit to what is older than the cut; windows, fast
interests and live offsets, of several half-lives, follow every event.
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
from penchant.domain.repeats import repeat_all, repeats_of
from penchant.domain.settings import FoldSettings
from penchant.domain.signal_weights import read_signal_weights, signal_code
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
from penchant.refresh.offset_history import OffsetHistory
from penchant.service.catalog_version import gram_of

OFFSET, POPULARITY, OPENINGS = "offset", "popularity", "opening"
SLOW, FAST, NEAR, ITEM_WEIGHTS = "slow", "fast", "near", "item weights"
TRANSITIONS, SUCCESSORS = "transitions", "successors"

RECENT_PARTS = (NEAR, ITEM_WEIGHTS, TRANSITIONS, SUCCESSORS)
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
    # What follows the very last like, as in albums and courses.
    {"ridge": 4.0, "fast_half_life_events": 0.7, "near_half_life_events": 0.6},
)
"""Settings of the fold that the search chooses from, part by part."""

SHORTLIST = 100
"""The best items of each part that are candidates of a ranking."""

OFFSET_PACES = (1, 4, 16, 64, 256)
"""The live offsets fade so many times faster than the counters; `penchant.domain.recent_counts`."""

BEST = 10
"""Values of a part in a ranking whose mean is its upper end."""


UpperEnds = dict[str, tuple[float, ...]]
"""What each variant of each part is divided by."""


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
    successors: Neighbours
    """What is liked right after an item, by chance (`transitions`); row 0 is empty."""


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
        paces: Sequence[int] = OFFSET_PACES,
    ) -> None:
        self.events = events
        self.offset_half_lives_s = [offset_half_life_s / pace for pace in paces]
        """Of the variants of the live offsets, in seconds; the counters' own comes first."""
        self.items = len(fitted.vectors)
        self.reward = np.maximum(0.0, events.reward.astype(np.float64))
        self.liked = self.reward > 0
        self.later = np.arange(len(events.item)) >= cut
        self.unseen = events.firsts
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
        self._offsets = OffsetHistory(
            events, self.unseen, self.items, cut, self.offset_half_lives_s, prior_impressions
        )
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

    def offsets(self, positions: Int64, variant: int = 0) -> Iterator[Vector]:
        """The live offsets before each of the positions, in time order, shape (items,) each.

        Args:
            positions: of the events.
            variant: place in `offset_half_lives_s`.
        """
        return self._offsets.before(positions, variant)

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
            SUCCESSORS: fitted.successors,
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
        count = len(self.offset_half_lives_s)
        wanted = range(count) if needed is None else [needed.get(OFFSET, 0)]
        nothing = np.zeros(self.items, np.float32)
        live = zip(*(self.offsets(positions, variant) for variant in wanted), strict=True)
        for position, found in zip(positions.tolist(), live, strict=True):
            offsets = [nothing] * count
            for variant, values in zip(wanted, found, strict=True):
                offsets[variant] = values
            parts = {POPULARITY: self.popularity, OFFSET: offsets}
            yield position, parts | self.personal(position, needed)

    def rankings(self, positions: Int64) -> tuple[Rankings, UpperEnds]:
        """The shortlists of the items that are new to their users, and the parts' upper ends.

        Each part is divided by its upper end, that of its first variant unless it is the offset;
        one whose upper end is 0 everywhere is left out.
        """
        picked: list[Int64] = []
        values: dict[str, list[list[Vector]]] = {}
        ends_of: dict[str, list[float]] = {}
        for position, parts in self.each(positions):
            hidden = self.seen(position)
            own = int(self.events.item[position])
            shown = np.zeros(self.items, np.bool_)
            shown[own] = True
            for name, variants in parts.items():
                for variant in variants:
                    best = best_places(variant, hidden)
                    shown[best] = True
                    ends_of.setdefault(name, []).append(float(variant[best[:BEST]].mean()))
            shown[hidden] = False
            shown[own] = True
            places = np.flatnonzero(shown)
            picked.append(places)
            for name, variants in parts.items():
                values.setdefault(name, []).append([variant[places] for variant in variants])
        scales = {
            name: np.array(of_each).reshape(len(picked), -1).mean(axis=0)
            for name, of_each in ends_of.items()
        }
        scales = {name: of_each for name, of_each in scales.items() if of_each[0] > 1e-9}
        for name, of_each in scales.items():
            # Half-lives of one kind of interest are compared as they are. Those of the offsets
            # differ in their size by orders of magnitude.
            of_each[1:] = np.maximum(of_each[1:], 1e-9) if name == OFFSET else of_each[0]
        width = max(map(len, picked))
        parts_of = tuple(
            Part(
                name,
                tuple(
                    _padded(values[name], variant, width, scale)
                    for variant, scale in enumerate(of_each.tolist())
                ),
                tied=NEAR if name in RECENT_PARTS else "",
            )
            for name, of_each in scales.items()
        )
        own_places = [
            int(np.searchsorted(places, self.events.item[position]))
            for places, position in zip(picked, positions.tolist(), strict=True)
        ]
        candidate = np.arange(width) < np.array([len(places) for places in picked])[:, None]
        rankings = Rankings(parts_of, np.array(own_places), candidate, self.reward[positions])
        return rankings, {name: tuple(of_each.tolist()) for name, of_each in scales.items()}


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
