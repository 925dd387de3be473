"""Types of request fields that are also options of a command.

A job's request is a frozen dataclass; cyclopts turns its fields into options, and their docstrings
into help. These annotations hold what a plain type can't say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from cyclopts import Parameter, Token

from penchant.domain.errors import ConfigError

FLAT = Parameter(name="*")
"""Spreads a nested dataclass's fields among the options of the command."""

Flag = Annotated[bool, Parameter(show_default=False)]
"""A switch that is off unless it is given."""

Repeated = Annotated[tuple[str, ...], Parameter(show_default=False, negative=())]
"""An option that may be given several times."""

Pairs = Annotated[tuple[str, ...], Parameter(show_default=False, negative=(), metavar="KEY=VALUE")]
"""A repeatable option of KEY=VALUE; read it with `pairs_of`."""


def parse_share(name: str, text: str) -> float:
    """Reads a share such as `1%` or `0.01`.

    Raises:
        ConfigError: the text is neither.

    >>> parse_share("--max-loss", "2.5%"), parse_share("--max-loss", "0.01")
    (0.025, 0.01)
    """
    given = text.strip()
    try:
        return float(given.removesuffix("%")) / (100 if given.endswith("%") else 1)
    except ValueError:
        raise ConfigError(f"{name}: got {text!r}, expected a share such as 1% or 0.01") from None


def _convert_share(_type: Any, tokens: Sequence[Token]) -> float:
    (token,) = tokens
    return parse_share(token.keyword or "share", token.value)


def _percent(share: float) -> str:
    return f"{share:.4%}".rstrip("0%").rstrip(".") + "%"


Share = Annotated[
    float, Parameter(converter=_convert_share, metavar="SHARE", show_default=_percent)
]
"""A fraction from 0 to 1, given as `1%` or `0.01`."""


def pairs_of(option: str, entries: Sequence[str]) -> Mapping[str, str]:
    """The entries of a repeatable KEY=VALUE option, by key; the last one wins.

    Raises:
        ConfigError: an entry has no `=`, or no key.

    >>> pairs_of("--set", ["fast_weight=6", " window_events = 64"])
    {'fast_weight': '6', 'window_events': ' 64'}
    """
    pairs = {}
    for entry in entries:
        key, equals, value = entry.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"{option}: got {entry!r}, expected KEY=VALUE")
        pairs[key.strip()] = value
    return pairs
