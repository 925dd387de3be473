"""The signals of a server whose configuration names none."""

from __future__ import annotations

from penchant.domain.rewards import Signal, SignalTable

DEFAULT_SIGNALS: SignalTable = {
    "like": Signal(reward=1.0),
    "dislike": Signal(reward=-1.0),
    "rating": Signal(reward=0.0, neutral=2.0, scale=3.0, value_required=True),
    "purchase": Signal(reward=1.0, weight=2.0, owned=True),
    "click": Signal(reward=0.5),
    "view": Signal(reward=0.3),
    "complete": Signal(reward=0.8),
    "skip": Signal(reward=-0.3),
    "hide": Signal(reward=-1.0, weight=2.0),
    "impression": Signal(reward=-0.1, weight=0.2, wait_s=1800.0),
}
