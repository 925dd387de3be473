"""How much each event of a window counts: equations 3 and 4 of `penchant.domain.interest`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penchant.domain.arrays import Float64
from penchant.domain.context import Slots, kernel
from penchant.domain.neighbours import RECENT_EVENTS
from penchant.domain.settings import FoldSettings
from penchant.domain.types import NO_WAIT, Window


def time_bucket(now_us: int, settings: FoldSettings) -> int:
    """The bucket of the fold's clock that a moment falls in; folds in one bucket are equal."""
    return int(now_us // int(settings.time_bucket_s * 1e6))


def counted(window: Window, bucket: int, settings: FoldSettings) -> NDArray[np.bool_]:
    """Which events of the window count, shape (n,).

    An outcome always does. An impression does where nothing answered it (an outcome for the same
    item that names the same recommendation; without one, any later outcome for the item) and its
    wait window has passed by the bucket's start.
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
    """How much each event of a window weighs, shape (n,) each; 0 where it does not count."""

    slow: Float64
    """w_t of equation 3."""
    fast: Float64
    """The event's factor in equation 4, normalised: the vector f is fast' X."""
    near: Float64
    """a_t of `penchant.domain.neighbours`, before the sum is made 1."""
    counted: NDArray[np.int64]
    """How many events of each window count, shape (m,)."""


def weigh(
    window: Window,
    known: NDArray[np.bool_],
    bucket: int,
    settings: FoldSettings,
    lengths: NDArray[np.int64] | None = None,
    context: Slots | None = None,
) -> Weights:
    """Equations 3 and 4 for a window, or for several one after the other.

    Args:
        window: n events.
        known: which of their items the catalog knows, shape (n,).
        bucket: `time_bucket` of now.
        settings: the fold's numbers.
        lengths: of the several windows, shape (m,), each 1 or more; they sum to n.
        context: what the interest is for, shape (5,), or one for each window, shape (m, 5); None:
            no context. A weight is multiplied by the kernel of `penchant.domain.context`.
    """
    lengths = np.array([len(window)]) if lengths is None else lengths
    counts = _counted_in_each(window, bucket, settings, lengths) & known
    alike = _alike(window, settings, lengths, context)
    so_far = counts.cumsum()
    age_events = np.repeat(so_far[lengths.cumsum() - 1], lengths) - so_far
    bucket_start_us = bucket * settings.time_bucket_s * 1e6
    age_s = np.maximum(0.0, (bucket_start_us - window["occurred_at_us"]) / 1e6)
    slow = (
        counts
        * alike
        * window["weight"]
        * np.exp2(-age_events / settings.half_life_events - age_s / settings.half_life_s)
    )
    liked = counts * alike * np.maximum(0.0, window["reward"])
    fast = liked * np.exp2(-age_events / settings.fast_half_life_events)
    near = liked * np.exp2(-age_events / settings.near_half_life_events)
    near[age_events >= RECENT_EVENTS] = 0.0
    totals = np.add.reduceat(counts.astype(np.int64), lengths.cumsum() - lengths)
    return Weights(slow=slow, fast=fast, near=near, counted=totals)


def _alike(
    window: Window,
    settings: FoldSettings,
    lengths: NDArray[np.int64],
    context: Slots | None,
) -> Float64 | float:
    if context is None:
        return 1.0
    now = np.repeat(context, lengths, axis=0) if context.ndim == 2 else context
    weights = kernel(window["context"], now, settings)
    return 1.0 if weights is None else weights


def _counted_in_each(
    window: Window, bucket: int, settings: FoldSettings, lengths: NDArray[np.int64]
) -> NDArray[np.bool_]:
    if len(lengths) == 1 or not (window["wait_s"] != NO_WAIT).any():
        return counted(window, bucket, settings)
    parts = np.split(window, lengths.cumsum()[:-1])
    return np.concatenate([counted(part, bucket, settings) for part in parts])
