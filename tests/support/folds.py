"""Windows, catalogs and settings for the laws of the fold, and the equations step by step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from penchant.domain.arrays import Float64
from penchant.domain.interest import Items, Prior, prior_precision
from penchant.domain.rewards import ResolvedSignal
from penchant.domain.settings import FoldSettings
from penchant.domain.types import Context, Event, Matrix, Window
from penchant.domain.window import empty_record, entry, insert

DIMENSIONS = 5
ITEMS = 6
SETTINGS = FoldSettings(
    catalog_weight=3.0,
    ridge=0.7,
    half_life_events=4.0,
    half_life_s=5000.0,
    fast_half_life_events=1.5,
    slow_weight=1.3,
    fast_weight=0.6,
    query_weight=0.8,
    time_bucket_s=10.0,
)


@dataclass(frozen=True, slots=True)
class FoldEvent:
    """An event and its reward, before they are packed into a window."""

    id: str
    item: int
    at_s: int
    reward: float
    weight: float
    wait_s: float | None = None
    recommendation: str = ""
    context: Context = ()


def window_of(events: list[FoldEvent], capacity: int = 64) -> Window:
    entries = [
        entry(
            Event(
                one.id,
                "u",
                str(one.item),
                "s",
                None,
                one.at_s * 10**6,
                one.recommendation,
                one.context,
            ),
            one.item,
            ResolvedSignal(one.reward, one.weight, one.wait_s),
        )
        for one in events
    ]
    return insert(empty_record(), entries, capacity).window


def catalog() -> Matrix:
    """Unit vectors, shape (ITEMS, DIMENSIONS)."""
    vectors = np.random.default_rng(7).standard_normal((ITEMS, DIMENSIONS)).astype(np.float32)
    unit: Matrix = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def prior(mean: float = 0.1) -> Prior:
    vectors = catalog().astype(np.float64)
    gram = vectors.T @ vectors / len(vectors)
    return Prior(prior_precision(gram, SETTINGS), np.full(DIMENSIONS, mean))


def items_of(window: Window, deleted: frozenset[int] = frozenset()) -> Items:
    numbers = window["item"].astype(int)
    return Items(catalog()[numbers], ~np.isin(numbers, sorted(deleted)))


REWARDS = st.integers(-10, 10).map(lambda tenths: tenths / 10)
WEIGHTS = st.sampled_from([0.0, 0.5, 1.0, 2.0])
WAITS = st.none() | st.sampled_from([0.0, 60.0, 500.0])


@st.composite
def histories(draw: st.DrawFn, max_size: int = 10) -> list[FoldEvent]:
    """Events with distinct ids; several share items, times and recommendations."""
    count = draw(st.integers(0, max_size))
    return [
        FoldEvent(
            id=f"e{number}",
            item=draw(st.integers(0, ITEMS - 1)),
            at_s=draw(st.integers(0, 1000)),
            reward=draw(REWARDS),
            weight=draw(WEIGHTS),
            wait_s=draw(WAITS),
            recommendation=draw(st.sampled_from(["", "r1", "r2"])),
        )
        for number in range(count)
    ]


def textbook_counts(one: FoldEvent, events: list[FoldEvent], now_s: float) -> bool:
    """Whether an event counts: outcomes do, and impressions do if unanswered and overdue."""
    if one.wait_s is None:
        return True
    for other in events:
        if other.wait_s is None and other.item == one.item:
            if one.recommendation and other.recommendation == one.recommendation:
                return False
            if not one.recommendation and other.at_s >= one.at_s:
                return False
    return one.at_s + one.wait_s <= now_s


def textbook_fold(
    events: list[FoldEvent], deleted: frozenset[int], now_s: float, m0: Float64
) -> tuple[Float64, Float64]:
    """Equations 1 to 4, term by term, for events in window order; returns m and f."""
    x, s = catalog().astype(np.float64), SETTINGS
    counting = [
        one for one in events if textbook_counts(one, events, now_s) and one.item not in deleted
    ]
    G = sum(np.outer(row, row) for row in x) / len(x)
    A0 = s.catalog_weight * G + s.ridge * np.eye(DIMENSIONS)
    A, target, f = A0.copy(), A0 @ m0, np.zeros(DIMENSIONS)
    for t, one in enumerate(counting, start=1):
        newer = len(counting) - t
        w = one.weight * 0.5 ** (newer / s.half_life_events)
        w *= 0.5 ** (max(0.0, now_s - one.at_s) / s.half_life_s)
        A += w * np.outer(x[one.item], x[one.item])
        target += w * one.reward * x[one.item]
        f += max(0.0, one.reward) * 0.5 ** (newer / s.fast_half_life_events) * x[one.item]
    length = float(np.linalg.norm(f))
    return np.linalg.inv(A) @ target, f / length if length else f
