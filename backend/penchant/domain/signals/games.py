"""What a game store or launcher tells."""

from __future__ import annotations

from penchant.domain.rewards import Signal, SignalTable

GAMES_SIGNALS: SignalTable = {
    "impression": Signal(reward=-0.1, weight=0.2, wait_s=1800.0),
    "started": Signal(reward=0.4),
    "played": Signal(reward=0.0, neutral=5.0, scale=40.0, value_required=True),
    "levelled": Signal(reward=0.7),
    "purchased": Signal(reward=1.0, weight=2.0, owned=True),
    "skipped": Signal(reward=-0.4),
    "rated": Signal(reward=0.0, neutral=2.5, scale=2.5, value_required=True),
    "uninstalled": Signal(reward=-1.0, weight=1.5),
}
