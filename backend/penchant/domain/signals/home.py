"""What a smart-home hub tells."""

from __future__ import annotations

from penchant.domain.rewards import Signal, SignalTable

HOME_SIGNALS: SignalTable = {
    "suggested": Signal(reward=-0.1, weight=0.2, wait_s=600.0),
    "accepted": Signal(reward=1.0),
    "overridden": Signal(reward=-0.8),
    "undone": Signal(reward=-1.0, weight=2.0),
}
