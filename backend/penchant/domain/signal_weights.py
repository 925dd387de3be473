"""What a refresh learns about signals: factors of the weights that the signal table gives events.

The table says before any log how much a view, a cart and a purchase weigh. A log may say otherwise:
on one, views tell what people buy, on another they tell nothing. The setting `signal_weights` holds
a factor by signal, 1 where it names none. A factor multiplies the event's weight in equation 3 of
`penchant.domain.interest`, its share of equation 4, of near(i) and of repeat(i), and its age in
events: an event of factor 0.25 makes others older by a quarter, one of factor 0 is as if it had not
been. A record holds each event's signal as a code, so new factors need no new records.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Mapping

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.errors import ConfigError
from penchant.domain.types import Window

LARGEST = 1000.0
"""Largest factor."""

_CODES = 1 << 16


@functools.lru_cache(maxsize=4096)
def signal_code(signal: str) -> int:
    """A signal as a window holds it: a digest from 1 to 65,535; 0 for the empty text.

    >>> signal_code(""), signal_code("view") == signal_code("view") != 0
    (0, True)
    """
    if not signal:
        return 0
    digest = hashlib.blake2b(signal.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little") % (_CODES - 1) + 1


def read_signal_weights(text: str) -> dict[str, float]:
    """The factors by signal, from a JSON object; none for the empty text.

    Raises:
        ConfigError: the text is no such object, or a factor is not a number from 0 to `LARGEST`.

    >>> read_signal_weights('{"view": 0.25}')
    {'view': 0.25}
    """
    try:
        written = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        raise _wrong(text) from None
    if not isinstance(written, dict):
        raise _wrong(text)
    for signal, factor in written.items():
        number = isinstance(factor, (int, float)) and not isinstance(factor, bool)
        if not signal or not number or not 0 <= factor <= LARGEST or math.isnan(factor):
            raise ConfigError(
                f"signal_weights: {signal}: got {factor!r}, expected a number from 0 to {LARGEST:g}"
            )
    return {signal: float(factor) for signal, factor in written.items()}


def write_signal_weights(factors: Mapping[str, float]) -> str:
    """The factors as the text of the setting, the same for the same factors.

    >>> write_signal_weights({"view": 0.25, "cart": 4.0}), write_signal_weights({})
    ('{"cart": 4.0, "view": 0.25}', '')
    """
    return json.dumps(dict(sorted(factors.items()))) if factors else ""


def factors_in(window: Window, signal_weights: str) -> Float64 | None:
    """The factor of each event of a window, shape (n,); None: 1 each.

    Cost: a gather of n numbers; nothing without factors.
    """
    if not signal_weights:
        return None
    factors: Float64 = factors_by_code(signal_weights)[window["signal"]]
    return factors


@functools.lru_cache(maxsize=16)
def factors_by_code(signal_weights: str) -> Float64:
    """The factor of each `signal_code`, shape (65,536,), read-only; 1 for codes of no factor."""
    by_code = np.ones(_CODES)
    for signal, factor in read_signal_weights(signal_weights).items():
        by_code[signal_code(signal)] = factor
    by_code.flags.writeable = False
    return by_code


def _wrong(text: str) -> ConfigError:
    return ConfigError(
        f"signal_weights: got {text[:64]!r}, expected a JSON object from signal to factor, such as "
        '{"view": 0.25}'
    )
