"""What an ad server tells."""

from __future__ import annotations

from penchant.domain.rewards import Signal, SignalTable

ADS_SIGNALS: SignalTable = {
    # Most ads are ignored: that says little against each.
    "impression": Signal(reward=-0.05, weight=0.1, wait_s=1800.0),
    "click": Signal(reward=0.6),
    # A sale of nothing 0.5, of 20 in the account's currency 1; untold 1.
    "conversion": Signal(reward=1.0, weight=2.0, neutral=-20.0, scale=40.0),
    # Never again: what is `owned` is left out of the rankings for ads.
    "hide": Signal(reward=-1.0, weight=2.0, owned=True),
}
