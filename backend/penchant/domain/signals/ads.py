"""What an ad server tells."""

from __future__ import annotations

from penchant.domain.rewards import Signal, SignalTable

ADS_SIGNALS: SignalTable = {
    "impression": Signal(reward=-0.05, weight=0.1, wait_s=1800.0),
    "click": Signal(reward=0.6),
    "conversion": Signal(reward=1.0, weight=2.0),
    "hide": Signal(reward=-1.0, weight=2.0),
}
