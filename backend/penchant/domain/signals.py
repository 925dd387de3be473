"""Signal tables by name: the rewards of an event, one table per domain.

>>> sorted(named_signals("ads"))
['click', 'conversion', 'hide', 'impression']
>>> "purchased" in named_signals("ads,games")
True
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

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
    # In a library, and never played.
    "owned": Signal(reward=0.1, weight=0.5, owned=True),
    # All the minutes that a library counts for a game, by quarters of that game's own players.
    "played_least": Signal(reward=0.1, value_min=0.0, owned=True),
    "played_less": Signal(reward=0.4, value_min=0.0, owned=True),
    "played_more": Signal(reward=0.7, value_min=0.0, owned=True),
    "played_most": Signal(reward=1.0, value_min=0.0, owned=True),
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


BASE = "base"
"""The key of a written table that names the tables it is merged over."""

_FIELDS: Mapping[str, str] = MappingProxyType(
    {field.name: str(field.type) for field in dataclasses.fields(Signal)}
)


def merged_signals(written: Mapping[str, Any]) -> SignalTable:
    """A table as people write it, in JSON or in TOML, merged over the tables named by `base`.

    A row over a row of the base changes the fields that it names; `false` removes the signal.
    Without `base`, the rows alone are the table.

    Args:
        written: rows by signal name, each an object of the fields of `Signal`, or `false`; and
            `base`, the names of tables, separated by commas or as a list.

    Raises:
        ConfigError: an unknown base, signal or field, or a value that does not fit.

    >>> merged_signals({"base": "home", "undone": {"weight": 3.0}, "accepted": False})["undone"]
    Signal(reward=-1.0, weight=3.0, ...
    >>> merged_signals({"like": {"rewrad": 1.0}})
    Traceback (most recent call last):
    ...
    penchant.domain.errors.ConfigError: signals: like: rewrad: unknown field; did you mean reward?
    """
    base = written.get(BASE, ())
    names = ",".join(map(str, base)) if isinstance(base, (list, tuple)) else base
    if not isinstance(names, str):
        raise ConfigError(f"signals: {BASE}: got {base!r}, expected names of tables")
    table = dict(named_signals(names)) if names else {}
    for name, row in written.items():
        if name == BASE:
            continue
        if row is False:
            if name not in table:
                raise ConfigError(f"signals: {name}: got false, but the base has no such signal")
            del table[name]
        elif isinstance(row, Mapping):
            table[name] = _row(name, row, table.get(name))
        else:
            raise ConfigError(
                f"signals: {name}: got {row!r}, expected fields such as {{reward = 1.0}}, or false"
            )
    return table


def as_written(table: SignalTable) -> dict[str, dict[str, Any]]:
    """The inverse of `merged_signals` without a base: the fields that are not at their defaults.

    >>> as_written({"like": Signal(reward=1.0)})
    {'like': {'reward': 1.0}}
    """
    plain = Signal(reward=0.0)
    return {
        name: {
            field: value
            for field, value in dataclasses.asdict(row).items()
            if field == "reward" or value != getattr(plain, field)
        }
        for name, row in table.items()
    }


def as_text(table: SignalTable) -> str:
    """A table as the text of the setting `signals`, the same for the same table: JSON."""
    return json.dumps(as_written(table), sort_keys=True)


def _row(name: str, fields: Mapping[str, Any], base: Signal | None) -> Signal:
    for field, value in fields.items():
        kind = _FIELDS.get(field)
        if kind is None:
            near = get_close_matches(field, _FIELDS, 1)
            hint = f"did you mean {near[0]}?" if near else f"expected some of: {', '.join(_FIELDS)}"
            raise ConfigError(f"signals: {name}: {field}: unknown field; {hint}")
        is_flag = isinstance(value, bool)
        fits = is_flag if kind == "bool" else isinstance(value, (int, float)) and not is_flag
        if not fits and not (value is None and "None" in kind):
            expected = "true or false" if kind == "bool" else "a number"
            raise ConfigError(f"signals: {name}: {field}: got {value!r}, expected {expected}")
    given: dict[str, Any] = {
        field: float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for field, value in fields.items()
    }
    if base is None and "reward" not in given:
        raise ConfigError(f"signals: {name}: reward: missing, expected a number from -1 to 1")
    try:
        return Signal(**given) if base is None else dataclasses.replace(base, **given)
    except ConfigError as error:
        problem = str(error).removeprefix("signals: ")
        raise ConfigError(f"signals: {name}: {problem}") from None
