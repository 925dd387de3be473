"""The weights of a window's events: equations 3 and 4 of `penchant.domain.interest`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from penchant.domain.arrays import Float64, Int64, Mask
from penchant.domain.context import Slots, kernel
from penchant.domain.neighbours import RECENT_EVENTS
from penchant.domain.settings import FoldSettings
from penchant.domain.signal_weights import factors_in
from penchant.domain.types import NO_WAIT, Window

QUIET_US = 86_400_000_000
"""Microseconds without any event, one day, after which the fold's clock stands still."""


_AGE_STEPS = 1024.0
"""Parts of an event that ages are counted in, so that their sums are exact in any order."""


def time_bucket(now_us: int, settings: FoldSettings) -> int:
    """The time bucket of a moment, counted from 1970; folds within one bucket are equal."""
    return int(now_us // int(settings.time_bucket_s * 1e6))


def fold_time(now_us: int, newest_us: int | None) -> int:
    """The time as of which interests are folded: now, but at most QUIET_US after the newest event.

    Taste fades while others go on, not while nothing happens. So a log that was imported years
    after its end is ranked as of its end, personal part and popularity alike.

    Args:
        now_us: the server's clock, in microseconds since 1970.
        newest_us: the newest event of the whole store; None: unknown.

    >>> fold_time(5, newest_us=None), fold_time(10**15, newest_us=0) == QUIET_US
    (5, True)
    """
    return now_us if newest_us is None else min(now_us, newest_us + QUIET_US)


def counted(window: Window, bucket: int, settings: FoldSettings) -> Mask:
    """Which events of the window count, shape (n,).

    An outcome (an event other than an impression) always counts. An impression counts if its wait
    window has passed by the bucket's start and no outcome has answered it: one for the same item
    with the same recommendation id or, for an impression without one, any later outcome for the
    item.
    """
    impression = window["wait_s"] != NO_WAIT
    if not impression.any():
        return np.ones(len(window), np.bool_)
    bucket_start_us = bucket * settings.time_bucket_s * 1e6
    shown, outcome = window[impression], window[~impression]
    same_item = shown["item"][:, None] == outcome["item"]
    tied = shown["recommendation"][:, None] == outcome["recommendation"]
    later = shown["occurred_at_us"][:, None] <= outcome["occurred_at_us"]
    untied = shown["recommendation"][:, None] == 0
    answered = (same_item & np.where(untied, later, tied)).any(axis=1)
    overdue = shown["occurred_at_us"] + shown["wait_s"] * 1e6 <= bucket_start_us
    counts = np.ones(len(window), np.bool_)
    counts[impression] = overdue & ~answered
    return counts


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of a window's events, shape (n,) each; 0 for events that do not count."""

    slow: Float64
    """w_t of equation 3."""
    fast: Float64
    """The event's factor in equation 4, before f = fast' X is normalised."""
    near: Float64
    """a_t of `penchant.domain.neighbours`, before the a_t are normalised to sum 1."""
    counted: Int64 | Float64
    """Number of events that count in each window, shape (m,); by their factors, if signals have
    some."""


def weigh(
    window: Window,
    known: Mask,
    bucket: int,
    settings: FoldSettings,
    lengths: Int64 | None = None,
    context: Slots | None = None,
) -> Weights:
    """Equations 3 and 4 for one window, or for several that are concatenated.

    Args:
        window: n events.
        known: False for events of deleted items, shape (n,).
        bucket: `time_bucket` of now.
        settings: the fold's settings.
        lengths: events per window, 1 or more, shape (m,); their sum is n. None: one window.
        context: the ranking's context, shape (5,), or one per window, shape (m, 5); None: no
            context. The kernel of `penchant.domain.context` multiplies the weights.

    The factors of `penchant.domain.signal_weights` multiply the weights, and the age in events that
    an event adds to those before it, up to 1.
    """
    lengths = np.array([len(window)]) if lengths is None else lengths
    counts = _counted_in_each(window, bucket, settings, lengths) & known
    similarity = _similarity(window, settings, lengths, context)
    ages: Int64 | Float64 = counts.astype(np.int64)
    factor = factors_in(window, settings.signal_weights)
    if factor is not None:
        similarity = similarity * factor
        ages = counts * np.round(np.minimum(1.0, factor) * _AGE_STEPS) / _AGE_STEPS
    so_far = ages.cumsum()
    age_events = np.repeat(so_far[lengths.cumsum() - 1], lengths) - so_far
    bucket_start_us = bucket * settings.time_bucket_s * 1e6
    age_s = np.maximum(0.0, (bucket_start_us - window["occurred_at_us"]) / 1e6)
    slow = (
        counts
        * similarity
        * window["weight"]
        * np.exp2(-age_events / settings.half_life_events - age_s / settings.half_life_s)
    )
    liked = counts * similarity * np.maximum(0.0, window["reward"])
    fast = liked * np.exp2(-age_events / settings.fast_half_life_events)
    near = liked * np.exp2(-age_events / settings.near_half_life_events)
    near[age_events >= RECENT_EVENTS] = 0.0
    if factor is not None:
        _leave_strongest(near, lengths)
    totals = np.add.reduceat(ages, lengths.cumsum() - lengths)
    return Weights(slow=slow, fast=fast, near=near, counted=totals)


def _leave_strongest(near: Float64, lengths: Int64) -> None:
    """Sets all but the `RECENT_EVENTS` largest weights of each window to 0; of equals, the older.

    Without factors no window has more, since each event makes the others older by one.
    """
    ends = lengths.cumsum()
    for start, end in zip((ends - lengths).tolist(), ends.tolist(), strict=True):
        of_window = near[start:end]
        if np.count_nonzero(of_window) > RECENT_EVENTS:
            of_window[np.argsort(of_window, kind="stable")[:-RECENT_EVENTS]] = 0.0


def _similarity(
    window: Window,
    settings: FoldSettings,
    lengths: Int64,
    context: Slots | None,
) -> Float64 | float:
    if context is None:
        return 1.0
    now = np.repeat(context, lengths, axis=0) if context.ndim == 2 else context
    weights = kernel(window["context"], now, settings)
    return 1.0 if weights is None else weights


def _counted_in_each(window: Window, bucket: int, settings: FoldSettings, lengths: Int64) -> Mask:
    if len(lengths) == 1 or not (window["wait_s"] != NO_WAIT).any():
        return counted(window, bucket, settings)
    parts = np.split(window, lengths.cumsum()[:-1])
    return np.concatenate([counted(part, bucket, settings) for part in parts])
