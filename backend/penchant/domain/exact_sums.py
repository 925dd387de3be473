"""Sums of decayed parts that do not depend on their order, so that a part leaves without a trace.

A sum in floating point depends on the order of its terms, and what is subtracted again leaves a
rest. Here each part p of time t is one number in the frame of 1970, before any decay,

    p 2^(t / h),    h the half-life,

rounded once to a double, which is m 2^e for whole numbers m and e; these add and subtract exactly.
The value at a time T is the sum times 2^(-T / h). A sum of parts within a year and h = 14 days has
a mantissa of about 100 bits.

>>> one = part_of(0.1, at_us=7, half_life_us=3)
>>> other = part_of(0.7, at_us=1_000, half_life_us=3)
>>> minus(plus(one, other), other) == one
True
>>> value_of(part_of(4.0, at_us=0, half_life_us=10), at_us=20, half_life_us=10)
1.0
"""

from __future__ import annotations

import math
from typing import NamedTuple

MOST_SHIFT = 1 << 15
"""Half-lives between two parts, beyond which the older one counts as nothing."""

_DOUBLE_BITS = 64
"""Bits of a mantissa that are more than a double holds."""


class ExactSum(NamedTuple):
    """The number `mantissa * 2 ** exponent`; the mantissa is odd, or both are 0."""

    mantissa: int = 0
    exponent: int = 0


NOTHING = ExactSum()


def part_of(part: float, at_us: int, half_life_us: int) -> ExactSum:
    """A part of a time, in the frame of 1970."""
    if not part:
        return NOTHING
    whole, rest = divmod(at_us, half_life_us)
    numerator, denominator = (part * math.exp2(rest / half_life_us)).as_integer_ratio()
    return _normal(numerator, whole - denominator.bit_length() + 1)


def plus(one: ExactSum, other: ExactSum) -> ExactSum:
    """The sum of two."""
    if not one.mantissa or not other.mantissa:
        return other if not one.mantissa else one
    shift = one.exponent - other.exponent
    if abs(shift) > MOST_SHIFT:
        return one if shift > 0 else other
    if shift >= 0:
        return _normal((one.mantissa << shift) + other.mantissa, other.exponent)
    return _normal(one.mantissa + (other.mantissa << -shift), one.exponent)


def minus(one: ExactSum, other: ExactSum) -> ExactSum:
    """One sum without another."""
    return plus(one, ExactSum(-other.mantissa, other.exponent))


def value_of(total: ExactSum, at_us: int, half_life_us: int) -> float:
    """A sum, decayed to a time."""
    mantissa, exponent = total
    more = max(0, mantissa.bit_length() - _DOUBLE_BITS)
    whole, rest = divmod(at_us, half_life_us)
    faded = math.ldexp(mantissa >> more, max(-_MOST, min(_MOST, exponent + more - whole)))
    return faded * math.exp2(-rest / half_life_us)


_MOST = 900
"""Exponent that no double of a counter exceeds."""


def _normal(mantissa: int, exponent: int) -> ExactSum:
    if not mantissa:
        return NOTHING
    zeros = (mantissa & -mantissa).bit_length() - 1
    return ExactSum(mantissa >> zeros, exponent + zeros)
