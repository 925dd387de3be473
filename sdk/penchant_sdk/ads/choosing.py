"""The order in which campaigns are offered, and the exact chance of what was shown.

Without exploration the order is by falling value, bid times click probability. With it, the order
is drawn by Plackett-Luce: each place goes to one of the campaigns left in proportion to
value^(1/temperature), that is, to exp(log(value) / temperature) (Plackett 1975). The draw adds
Gumbel noise to each exponent and sorts (Yellott 1977).

Caps and budgets then refuse some. The server names *every* campaign that they forbid, whether its
turn had come or not, before it takes any, and no campaign's caps or budget depend on another's. So
the refused set does not depend on the order drawn, and by Luce's choice axiom (Luce 1959,
independence of irrelevant alternatives) striking it from the list leaves a Plackett-Luce order of
the others: the chance of the ad at a place, given those above it, is its share of exp(log(value) /
temperature) among the campaigns that were neither refused nor shown above. Exact, not estimated.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from random import Random


def by_value(values: Mapping[str, float]) -> list[str]:
    """By falling value; of equal ones, in their order.

    >>> by_value({"a": 1.0, "b": 3.0, "c": 1.0})
    ['b', 'a', 'c']
    """
    return sorted(values, key=lambda name: -values[name])


def drawn(values: Mapping[str, float], temperature: float, random: Random) -> list[str]:
    """A Plackett-Luce order.

    Args:
        values: above 0, by name.
        temperature: above 0; at 1 a chance is in proportion to the value.
        random: what is drawn from.
    """
    keys = {
        name: math.log(value) / temperature - math.log(random.expovariate(1.0))
        for name, value in values.items()
    }
    return sorted(keys, key=lambda name: -keys[name])


def propensities(
    values: Mapping[str, float],
    temperature: float,
    refused: Collection[str],
    shown: Sequence[str],
) -> list[float]:
    """The chance of each ad shown, given those above it; see the module's docstring.

    Args:
        values: of all that were offered, above 0.
        temperature: as drawn with.
        refused: all that caps or budgets forbade.
        shown: from the top; none of them refused.

    >>> chances = propensities({"a": 6, "b": 3, "c": 1, "d": 9}, 1.0, {"d"}, ["b", "a"])
    >>> [round(chance, 3) for chance in chances]
    [0.3, 0.857]
    """
    left = {name: math.log(value) / temperature for name, value in values.items()}
    for name in refused:
        left.pop(name, None)
    chances = []
    for name in shown:
        top = max(left.values())
        total = math.fsum(math.exp(value - top) for value in left.values())
        chances.append(math.exp(left.pop(name) - top) / total)
    return chances
