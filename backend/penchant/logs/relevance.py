"""Which events count as a hit: `rating>=4`, `reward>0`, `signal=purchase`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from penchant.domain.errors import ConfigError
from penchant.domain.types import Event

Relevance = Callable[[Event, float], bool]
"""Whether an event with its reward counts as a hit."""

POSITIVE = "reward>0"
"""Default: every event with a positive reward."""

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}
_TERM = re.compile(r"\s*(rating|value|reward|signal)\s*(>=|<=|==|!=|>|<|=)\s*(\S+)\s*")


def parse_relevance(text: str) -> Relevance:
    """Reads a term FIELD OPERATOR VALUE.

    Args:
        text: the term; its field is `value` or `rating` (both are the event's value; an event
            without one is no hit), `reward` (by the signal table) or `signal` (with = or != only).

    Raises:
        ConfigError: the text is no such term.

    >>> liked = parse_relevance("rating>=4")
    >>> event = Event("e1", "ann", "heat", "rating", 4.0, 0)
    >>> liked(event, 0.67), parse_relevance("signal=purchase")(event, 0.67)
    (True, False)
    """
    match = _TERM.fullmatch(text)
    if match is None:
        raise _wrong(text)
    field, compare, value = match[1], _COMPARE[match[2]], match[3]
    if field == "signal":
        if match[2] not in ("=", "==", "!="):
            raise _wrong(text)
        return lambda event, reward: compare(event.signal, value)
    try:
        threshold = float(value)
    except ValueError:
        raise _wrong(text) from None
    if field == "reward":
        return lambda event, reward: compare(reward, threshold)
    return lambda event, reward: event.value is not None and compare(event.value, threshold)


def _wrong(text: str) -> ConfigError:
    return ConfigError(
        f"relevant: got {text!r}, expected value, rating or reward, one of >= > <= < = !=, and a "
        "number (rating>=4), or signal=NAME"
    )
