"""What a game store or launcher tells, in the words of `penchant_sdk.games`."""

from __future__ import annotations

from penchant.domain.rewards import Signal, SignalTable

GAMES_SIGNALS: SignalTable = {
    # Shown and passed over for half an hour.
    "impression": Signal(reward=-0.1, weight=0.2, wait_s=1800.0),
    # Curiosity: what follows says more.
    "started": Signal(reward=0.2, weight=0.5),
    # Minutes: 8 say nothing, 38 all there is to say, less than 8 that it was put away.
    "played": Signal(reward=0.0, neutral=8.0, scale=30.0, value_required=True),
    "levelled": Signal(reward=0.7),
    "purchased": Signal(reward=1.0, weight=2.0, owned=True),
    "skipped": Signal(reward=-0.4),
    # Stars, 1 to 5.
    "rated": Signal(reward=0.0, neutral=3.0, scale=2.0, value_required=True),
    "uninstalled": Signal(reward=-1.0, weight=1.5),
}
