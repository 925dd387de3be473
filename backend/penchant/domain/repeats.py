"""Repeats: items that the user liked before, as a sparse part of the score.

    repeat(i) = r_i / (1 + max_j r_j) - [i was liked within the pause]
    r_i       = sum of liked_t 2^(-(now - s_t) / h_repeat) (1 + lambda sim_t)
                over the likes of i before the pause
    sim_t     = |V_t and B| / sqrt(|V_t| |B|)

Groceries, music and games are chosen again and again; a film is not. The part is a share of the
user's own most repeated item, so that it does not grow with the length of the history. What was
liked within the pause is in the basket already. B are the items liked within the last `VISIT_S`
and V_t those of the visit that the like belongs to, which ends where no like follows for as long:
who has bread and cheese in the basket wants what they bought with bread and cheese before.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from penchant.domain.arrays import Float64, Int64
from penchant.domain.event_weights import counted
from penchant.domain.neighbours import SMALL_ROWS
from penchant.domain.settings import FoldSettings
from penchant.domain.signal_weights import factors_in
from penchant.domain.types import Rows, Vector, Window

VISIT_S = 3600.0
"""Seconds without a like that end a visit."""


class Repeats(NamedTuple):
    """The likes of a window, and what each adds to repeat(i) of its item."""

    event: Int64
    """Places of the likes in the window, shape (m,)."""
    item: Int64
    """Their items' numbers, shape (m,)."""
    share: Float64
    """Their shares; those of one item sum to repeat(i), shape (m,)."""


def repeats_of(window: Window, bucket: int, settings: FoldSettings) -> Repeats:
    """The equation of this module, by event.

    Args:
        window: n events.
        bucket: `time_bucket` of now.
        settings: the half-life, the pause and the weight of the basket.
    """
    factor = factors_in(window, settings.signal_weights)
    liked = np.flatnonzero(
        window["reward"] > 0 if factor is None else window["reward"] * factor > 0
    )
    if (window["wait_s"][liked] >= 0).any():
        liked = liked[counted(window, bucket, settings)[liked]]
    if not len(liked):
        return Repeats(liked, liked, np.empty(0))
    item = window["item"][liked].astype(np.int64)
    now_us = bucket * settings.time_bucket_s * 1e6
    age_s = np.maximum(0.0, (now_us - window["occurred_at_us"][liked]) / 1e6)
    weight = window["reward"][liked] * np.exp2(age_s / -settings.repeat_half_life_s)
    if factor is not None:
        weight *= factor[liked]
    if settings.repeat_basket_weight:
        at_us = window["occurred_at_us"][liked]
        weight *= 1.0 + settings.repeat_basket_weight * _similarity(item, at_us, age_s)
    paused = age_s < settings.repeat_pause_s
    weight[paused] = 0.0
    share = weight / (1.0 + _sums(item, weight).max())
    if paused.any():
        had = item[paused]
        share[paused] -= 1.0 / _sums(had, np.ones(len(had)))[_places(had)]
    return Repeats(liked, item, share)


def _similarity(item: Int64, at_us: Int64, age_s: Float64) -> Float64:
    """sim_t of likes in time order, shape (m,); 0 for those in the basket itself."""
    now = age_s < VISIT_S
    if not now.any():
        return np.zeros(len(item))
    places = _places(item)
    basket = np.zeros(int(places.max()) + 1, np.bool_)
    basket[places[now]] = True
    visit = np.zeros(len(item), np.int64)
    np.cumsum(at_us[1:] - at_us[:-1] > VISIT_S * 1e6, out=visit[1:])
    common = np.bincount(visit, basket[places])
    of_visit = common / np.sqrt(np.bincount(visit) * np.count_nonzero(basket))
    similar: Float64 = of_visit[visit]
    similar[now] = 0.0
    return similar


def _sums(item: Int64, values: Float64) -> Float64:
    """The sums of the values by item: by number where numbers are small, else by rank."""
    return np.bincount(_places(item), values).astype(np.float64)


def _places(item: Int64) -> Int64:
    if item.max() < SMALL_ROWS:
        return item
    return np.unique(item, return_inverse=True)[1]


def repeat_all(repeats: Repeats, rows: int) -> Vector:
    """repeat(i) for the first `rows` items, shape (rows,)."""
    return np.bincount(repeats.item, repeats.share, rows)[:rows].astype(np.float32)


def repeat_some(repeats: Repeats, wanted: Rows) -> Vector:
    """repeat(i) for some items, shape (n,). Cost: O((n + m) log m) for m likes, or less."""
    if not len(repeats.item) or not len(wanted):
        return np.zeros(len(wanted), np.float32)
    most = max(int(repeats.item.max()), int(wanted.max()))
    if most < SMALL_ROWS:
        return repeat_all(repeats, most + 1)[wanted]
    distinct, place = np.unique(repeats.item, return_inverse=True)
    sums = np.bincount(place, repeats.share)
    found = np.minimum(np.searchsorted(distinct, wanted), len(distinct) - 1)
    return np.where(distinct[found] == wanted, sums[found], 0.0).astype(np.float32)


def repeat_shares(repeats: Repeats, wanted: Rows, events: int) -> Float64:
    """The share of each of the window's events in repeat(i), shape (len(wanted), events)."""
    shares = np.zeros((len(wanted), events))
    shares[:, repeats.event] = (wanted[:, None] == repeats.item) * repeats.share
    return shares
