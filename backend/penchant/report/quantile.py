"""Quantiles of measured values, such as the p50 and p99 of latencies."""

from __future__ import annotations

import math
from collections.abc import Sequence


def quantile(values: Sequence[float], fraction: float) -> float:
    """The smallest of the values that at least `fraction` of them do not exceed.

    Always a measured value, never an interpolation between two.

    Args:
        values: one or more, in any order.
        fraction: 0 to 1; 0.99 gives the p99.

    Raises:
        ValueError: there are no values.

    >>> quantile([4.0, 1.0, 3.0, 2.0], 0.5), quantile([4.0, 1.0, 3.0, 2.0], 0.99)
    (2.0, 4.0)
    """
    if not values:
        raise ValueError("quantile: got no values, expected 1 or more")
    ordered = sorted(values)
    return ordered[max(1, math.ceil(fraction * len(ordered))) - 1]
