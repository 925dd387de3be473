"""Whether what is shown has the mix of genres (or of any attribute) that the user likes.

H. Steck, "Calibrated recommendations", RecSys 2018, equations 2, 3, 5 and 6, without weights:

    p(g|u) = mean over the user's likes of p(g|i)                                        (1)
    q(g|u) = mean over the items shown of p(g|i)                                         (2)
    C = sum_g p log2(p / q~),   q~ = (1 - a) q + a p,   a = 0.01                         (3)

p(g|i) is spread evenly over an item's genres. 0 is the user's own mix; more is further from it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from penchant.domain.arrays import Float64
from penchant.domain.errors import ConfigError
from penchant.domain.types import Item
from penchant.evaluation.targets import EvaluationTargets
from penchant.logs.stream import Stream

SMOOTHING = 0.01
"""a of equation 3."""

_SEPARATOR = re.compile(r"\s*[,;|]\s*")


def attribute_shares(items: Sequence[Item], attribute: str) -> Float64:
    """p(g|i), shape (items, values); zeros for an item without the attribute.

    Args:
        items: n of them.
        attribute: its name; several values are separated by a comma, semicolon or bar.

    Raises:
        ConfigError: no item has it.

    >>> films = [Item("1", "Heat", {"genres": "Crime, Drama"}), Item("2", "Toy", {})]
    >>> attribute_shares(films, "genres").tolist()
    [[0.5, 0.5], [0.0, 0.0]]
    """
    values = [_values(item, attribute) for item in items]
    places = {value: place for place, value in enumerate(attribute_values(items, attribute))}
    if not places:
        known = sorted({name for item in items for name in item.attributes})
        raise ConfigError(
            f"attribute: got {attribute!r}, which no item has; expected one of: {', '.join(known)}"
        )
    shares = np.zeros((len(items), len(places)))
    for number, row in enumerate(values):
        for value in row:
            shares[number, places[value]] += 1 / len(row)
    return shares


def attribute_values(items: Sequence[Item], attribute: str) -> list[str]:
    """The values of an attribute, as they come: the columns of `attribute_shares`."""
    return list(dict.fromkeys(value for item in items for value in _values(item, attribute)))


def _values(item: Item, attribute: str) -> list[str]:
    return [value for value in _SEPARATOR.split(item.attributes.get(attribute, "")) if value]


def miscalibration(
    stream: Stream, targets: EvaluationTargets, top: NDArray[np.int32], shares: Float64
) -> float:
    """The mean of equation 3, in bits.

    Over the rankings for users who liked something before that has the attribute, and where
    something that has it was shown; NaN where there are none.

    Args:
        stream: the events; those with a positive reward are likes.
        targets: n of them.
        top: what was shown at each, -1 is none, shape (n, k).
        shares: p(g|i), shape (items, values).
    """
    liked: dict[int, Float64] = {}
    positive = (stream.reward > 0).tolist()
    users, items = stream.user.tolist(), stream.item.tolist()
    done, total, count = 0, 0.0, 0
    for row, until in zip(top, targets.positions.tolist(), strict=True):
        for position in range(done, until):
            if positive[position]:
                user, item = users[position], items[position]
                liked[user] = liked.get(user, 0.0) + shares[item]
        done = until
        wanted = liked.get(users[until])
        shown = shares[row[row >= 0]].sum(axis=0)
        if wanted is not None and wanted.any() and shown.any():
            total += divergence(wanted / wanted.sum(), shown / shown.sum())
            count += 1
    return total / count if count else math.nan


def divergence(wanted: Float64, shown: Float64) -> float:
    """Equation 3 of two mixes, shape (values,) each, in bits.

    >>> round(divergence(np.array([0.5, 0.5]), np.array([1.0, 0.0])), 3)
    2.826
    >>> divergence(np.array([0.5, 0.5]), np.array([0.5, 0.5]))
    0.0
    """
    smoothed = (1 - SMOOTHING) * shown + SMOOTHING * wanted
    held = wanted > 0
    return float(wanted[held] @ np.log2(wanted[held] / smoothed[held]))
