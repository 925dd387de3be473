"""The signals that the fake server knows: all of a real one's tables at once."""

from __future__ import annotations

SIGNALS: dict[str, tuple[float, float]] = {
    "like": (1.0, 1.0),
    "dislike": (-1.0, 1.0),
    "rating": (0.0, 1.0),
    "purchase": (1.0, 2.0),
    "click": (0.5, 1.0),
    "view": (0.3, 1.0),
    "complete": (0.8, 1.0),
    "skip": (-0.3, 1.0),
    "hide": (-1.0, 2.0),
    "impression": (-0.1, 0.2),
    "conversion": (1.0, 2.0),
    "started": (0.4, 1.0),
    "played": (0.0, 1.0),
    "levelled": (0.7, 1.0),
    "purchased": (1.0, 2.0),
    "skipped": (-0.4, 1.0),
    "rated": (0.0, 1.0),
    "uninstalled": (-1.0, 1.5),
    "suggested": (-0.1, 0.2),
    "accepted": (1.0, 1.0),
    "overridden": (-0.8, 1.0),
    "undone": (-1.0, 2.0),
}
"""Reward and weight of each signal."""

VALUED: dict[str, tuple[float, float]] = {
    "rating": (3.0, 2.0),
    "played": (5.0, 40.0),
    "rated": (2.5, 2.5),
}
"""Neutral value and scale of the signals that need a value."""

IMPRESSIONS = frozenset({"impression", "suggested"})
OWNING = frozenset({"purchase", "purchased"})
"""Signals that make an item the user's own."""
