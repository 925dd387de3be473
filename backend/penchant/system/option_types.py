"""Types of request fields that are also command-line options.

A job's request is a frozen dataclass. cyclopts turns each field into an option and the field's
docstring into its help; the annotated types below add what a plain type can't express.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from cyclopts import Parameter, Token

from penchant.domain.errors import ConfigError

FLAT = Parameter(name="*")
"""Makes each field of a nested dataclass an option of the command itself."""

STORE_IN_USE = Parameter(env_var="PENCHANT_STORE")
"""Marks the option of a server's store: the environment and `penchant.toml` give it once for all
commands."""

ENCODER_IN_USE = Parameter(env_var="PENCHANT_ENCODER")
"""Marks the option of the encoder in use, the one that a server is configured with."""

TARGET_IN_USE = Parameter(env_var="PENCHANT_TARGET")
"""Marks the option of a server's address."""

Flag = Annotated[bool, Parameter(show_default=False)]
"""A switch that is off unless it is given."""

Repeated = Annotated[tuple[str, ...], Parameter(show_default=False, negative=())]
"""A repeatable option."""

OBJECTIVE = Parameter(metavar="SIGNAL", show_default=lambda _: "found in the log, and said")
"""The signal that weights are learnt for."""

Pairs = Annotated[tuple[str, ...], Parameter(show_default=False, negative=(), metavar="KEY=VALUE")]
"""A repeatable KEY=VALUE option; `pairs_of` parses the entries."""


def shows(text: object) -> Callable[[object], str]:
    """`Parameter.show_default` for a default that is only known later: the help shows this text.

    >>> shows("now")(None)
    'now'
    """
    return lambda default: str(text)


def parse_share(name: str, text: str) -> float:
    """Parses a share written as `1%` or `0.01`.

    Args:
        name: option or field that the share belongs to, for the error message.
        text: the share as typed.

    Raises:
        ConfigError: the text is not a number, with or without a percent sign.

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
"""A fraction from 0 to 1, written as `1%` or `0.01`."""


def pairs_of(option: str, entries: Sequence[str]) -> Mapping[str, str]:
    """Parses the entries of a repeatable KEY=VALUE option; the last value of a key wins.

    Raises:
        ConfigError: an entry lacks the `=` or the key.

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
