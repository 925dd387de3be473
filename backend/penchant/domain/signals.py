"""Signal tables by name: the rewards of an event, one table per domain.

>>> sorted(named_signals("ads"))
['click', 'conversion', 'hide', 'impression']
>>> "purchased" in named_signals("ads,games")
True
"""

from __future__ import annotations

from collections.abc import Mapping

from penchant.domain.errors import ConfigError
from penchant.domain.rewards import Signal, SignalTable

DEFAULT_SIGNALS: SignalTable = {
    "like": Signal(reward=1.0),
    "dislike": Signal(reward=-1.0),
    # Stars, 0 to 5: -1/3 for 1, 1 for 5.
    "rating": Signal(
        reward=0.0, neutral=2.0, scale=3.0, value_required=True, value_min=0.0, value_max=5.0
    ),
    "purchase": Signal(reward=1.0, weight=2.0, owned=True),
    "click": Signal(reward=0.5),
    "view": Signal(reward=0.3),
    "complete": Signal(reward=0.8),
    "skip": Signal(reward=-0.3),
    "hide": Signal(reward=-1.0, weight=2.0),
    "impression": Signal(reward=-0.1, weight=0.2, wait_s=1800.0),
}
"""The signals of a server that configures none."""

ADS_SIGNALS: SignalTable = {
    # Most ads are ignored, which says little against each.
    "impression": Signal(reward=-0.05, weight=0.1, wait_s=1800.0),
    "click": Signal(reward=0.6),
    # The value is the sale in the account's currency: 0 earns 0.5, 20 earns 1. No value earns 1.
    "conversion": Signal(reward=1.0, weight=2.0, neutral=-20.0, scale=40.0),
    # Never again: rankings for ads leave owned items out.
    "hide": Signal(reward=-1.0, weight=2.0, owned=True),
}
"""The events of an ad server."""

GAMES_SIGNALS: SignalTable = {
    # Shown, and passed over for half an hour.
    "impression": Signal(reward=-0.1, weight=0.2, wait_s=1800.0),
    # Curiosity; the events that follow say more.
    "started": Signal(reward=0.2, weight=0.5),
    # Minutes: 8 are neutral, 38 or more earn 1, and less than 8 count against the game.
    "played": Signal(reward=0.0, neutral=8.0, scale=30.0, value_required=True, value_min=0.0),
    "levelled": Signal(reward=0.7),
    "purchased": Signal(reward=1.0, weight=2.0, owned=True),
    "skipped": Signal(reward=-0.4),
    # Stars, 1 to 5.
    "rated": Signal(
        reward=0.0, neutral=3.0, scale=2.0, value_required=True, value_min=1.0, value_max=5.0
    ),
    "uninstalled": Signal(reward=-1.0, weight=1.5),
}
"""The events of a game store or launcher, under the names that `penchant_sdk.games` sends."""

HOME_SIGNALS: SignalTable = {
    "suggested": Signal(reward=-0.1, weight=0.2, wait_s=600.0),
    "accepted": Signal(reward=1.0),
    "overridden": Signal(reward=-0.8),
    "undone": Signal(reward=-1.0, weight=2.0),
}
"""The events of a smart-home hub."""

SIGNAL_TABLES: Mapping[str, SignalTable] = {
    "default": DEFAULT_SIGNALS,
    "ads": ADS_SIGNALS,
    "games": GAMES_SIGNALS,
    "home": HOME_SIGNALS,
}
"""The tables that the setting `signals` may name."""


def named_signals(names: str) -> SignalTable:
    """The union of the named tables; of two rows with one name, the later table's counts.

    Args:
        names: names of tables, separated by commas.

    Raises:
        ConfigError: an unknown name.
    """
    table: SignalTable = {}
    for name in names.split(","):
        rows = SIGNAL_TABLES.get(name.strip())
        if rows is None:
            known = ", ".join(SIGNAL_TABLES)
            raise ConfigError(f"signals: got {name.strip()!r}, expected JSON or some of: {known}")
        table = {**table, **rows}
    return table
