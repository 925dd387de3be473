"""Signal tables by name: what an event is worth, one table a domain.

>>> sorted(named_signals("ads"))
['click', 'conversion', 'hide', 'impression']
>>> "purchased" in named_signals("ads,games")
True
"""

from __future__ import annotations

from collections.abc import Mapping

from penchant.domain.errors import ConfigError
from penchant.domain.rewards import SignalTable
from penchant.domain.signals.ads import ADS_SIGNALS
from penchant.domain.signals.default import DEFAULT_SIGNALS
from penchant.domain.signals.games import GAMES_SIGNALS
from penchant.domain.signals.home import HOME_SIGNALS

SIGNAL_TABLES: Mapping[str, SignalTable] = {
    "default": DEFAULT_SIGNALS,
    "ads": ADS_SIGNALS,
    "games": GAMES_SIGNALS,
    "home": HOME_SIGNALS,
}
"""What the setting `signals` may name, beside JSON."""


def named_signals(names: str) -> SignalTable:
    """The tables of some names, parted by commas, as one; a later row takes an earlier one's place.

    Raises:
        ConfigError: there is no table of a name.
    """
    table: SignalTable = {}
    for name in names.split(","):
        rows = SIGNAL_TABLES.get(name.strip())
        if rows is None:
            known = ", ".join(SIGNAL_TABLES)
            raise ConfigError(f"signals: got {name.strip()!r}, expected JSON or some of: {known}")
        table = {**table, **rows}
    return table
