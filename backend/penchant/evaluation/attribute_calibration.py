"""Calibration: whether rankings show the mix of genres, or of any attribute, that a user likes.

H. Steck, "Calibrated recommendations", RecSys 2018, equations 2, 3, 5 and 6, without weights:

    p(g|u) = mean over the user's likes of p(g|i)                                        (1)
    q(g|u) = mean over the items shown of p(g|i)                                         (2)
    C = sum_g p log2(p / q~),   q~ = (1 - a) q + a p,   a = 0.01                         (3)

p(g|i) is spread evenly over an item's genres. C is 0 for the user's own mix and grows with the
distance from it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from penchant.domain.arrays import Float64, Int32
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
        items: the items.
        attribute: name of the attribute; a comma, semicolon or bar separates several values.

    Raises:
        ConfigError: no item has the attribute.

    >>> films = [Item("1", "Heat", {"genres": "Crime, Drama"}), Item("2", "Toy", {})]
    >>> attribute_shares(films, "genres").tolist()
    [[0.5, 0.5], [0.0, 0.0]]
    """
    values = [_values(item, attribute) for item in items]
    columns = {value: column for column, value in enumerate(attribute_values(items, attribute))}
    if not columns:
        known = sorted({name for item in items for name in item.attributes})
        raise ConfigError(
            f"attribute: got {attribute!r}, which no item has; expected one of: {', '.join(known)}"
        )
    shares = np.zeros((len(items), len(columns)))
    for number, own in enumerate(values):
        for value in own:
            shares[number, columns[value]] += 1 / len(own)
    return shares


def attribute_values(items: Sequence[Item], attribute: str) -> list[str]:
    """The values of an attribute in order of appearance: the columns of `attribute_shares`."""
    return list(dict.fromkeys(value for item in items for value in _values(item, attribute)))


def _values(item: Item, attribute: str) -> list[str]:
    return [value for value in _SEPARATOR.split(item.attributes.get(attribute, "")) if value]


def miscalibration(
    stream: Stream, targets: EvaluationTargets, top: Int32, shares: Float64
) -> float:
    """The mean of equation 3 over rankings, in bits.

    A ranking counts if the user liked an item with the attribute before it, and if it shows one.

    Args:
        stream: the events; those with a positive reward are likes.
        targets: the n rankings.
        top: items shown in each ranking, padded with -1, shape (n, k).
        shares: p(g|i), shape (items, values).

    Returns:
        NaN if no ranking counts.
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
    """Equation 3 for two mixes, shape (values,) each, in bits.

    >>> round(divergence(np.array([0.5, 0.5]), np.array([1.0, 0.0])), 3)
    2.826
    >>> divergence(np.array([0.5, 0.5]), np.array([0.5, 0.5]))
    0.0
    """
    smoothed = (1 - SMOOTHING) * shown + SMOOTHING * wanted
    held = wanted > 0
    return float(wanted[held] @ np.log2(wanted[held] / smoothed[held]))
