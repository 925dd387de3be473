"""Times between two runs as options: `5m`, `90s`, `1h`, or `never`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter, Token

from penchant.domain.errors import ConfigError

NEVER = "never"

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_interval(name: str, text: str) -> float | None:
    """Parses a time between two runs.

    Args:
        name: option or field that it belongs to, for the error message.
        text: a number with a unit, `s` without one, or `never`.

    Returns:
        Seconds, more than 0; None for `never`.

    Raises:
        ConfigError: the text is neither.

    >>> [parse_interval("--every", text) for text in ("5m", "90", "1.5h", "never")]
    [300.0, 90.0, 5400.0, None]
    """
    given = text.strip().lower()
    if given == NEVER:
        return None
    number = given.rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = given[len(number) :].strip() or "s"
    try:
        seconds = float(number) * _UNITS[unit]
    except (ValueError, KeyError):
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise ConfigError(f"{name}: got {text!r}, expected a time such as 5m, 90s or 1h, or never")
    return seconds


def shown_interval(seconds: float | None) -> str:
    """A time as `parse_interval` reads it, in the largest unit that divides it.

    >>> [shown_interval(seconds) for seconds in (300.0, 90.0, 0.5, None)]
    ['5m', '90s', '0.5s', 'never']
    """
    if seconds is None:
        return NEVER
    for unit in ("d", "h", "m"):
        if seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:g}{unit}"
    return f"{seconds:g}s"


def _convert(_type: Any, tokens: Sequence[Token]) -> float | None:
    (token,) = tokens
    return parse_interval(token.keyword or "interval", token.value)


def _shown(seconds: float | None) -> str | None:
    return None if seconds is None else shown_interval(seconds)


Interval = Annotated[
    float | None, Parameter(converter=_convert, metavar="TIME", show_default=_shown)
]
"""Seconds between two runs, written as `5m`, `90s`, `1h`; None: `never`."""
