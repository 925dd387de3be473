"""The order in which campaigns are offered, and the exact propensities of the ads shown.

Without exploration, campaigns are ordered by descending value: bid times click probability. With
exploration, the order is drawn by Plackett-Luce: each position goes to one of the remaining
campaigns in proportion to value^(1/temperature) = exp(log(value) / temperature) (Plackett 1975).
The draw adds Gumbel noise to each exponent and sorts (Yellott 1977).

Caps and budgets then refuse some campaigns. The server names every campaign that they forbid,
whether or not its turn had come, before it reserves any, and no campaign's caps or budget depend on
another's. The refused set is therefore independent of the order drawn. By Luce's choice axiom (Luce
1959, independence of irrelevant alternatives), removing it from the list leaves a Plackett-Luce
order of the others. So the probability of the ad at a position, given the ads above it, is exactly
its share of exp(log(value) / temperature) among the campaigns neither refused nor shown above.

A campaign of several creatives draws one of them first. Its value and its price are the means over
its creatives, so that neither order nor refusals depend on the draw: the probability of an ad is
that of its campaign at the place, times that of the creative.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from random import Random

EXPLORED = 0.1
"""Share of the draws of a creative that are even."""
_SHARPNESS = 4


def by_value(values: Mapping[str, float]) -> list[str]:
    """Names in descending order of value; equal values keep their order.

    >>> by_value({"a": 1.0, "b": 3.0, "c": 1.0})
    ['b', 'a', 'c']
    """
    return sorted(values, key=lambda name: -values[name])


def drawn(values: Mapping[str, float], temperature: float, random: Random) -> list[str]:
    """Names in an order drawn by Plackett-Luce.

    Args:
        values: value by name, above 0.
        temperature: above 0; at 1, probabilities are proportional to the values.
        random: source of random numbers.
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
    """Probability of each ad shown, given the ads above it; see the module's docstring.

    Args:
        values: value by name of all campaigns offered, above 0.
        temperature: temperature of the draw.
        refused: names of all campaigns that caps or budgets forbid.
        shown: names from the top position down, without refused ones.

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


def creative_chances(click_chances: Mapping[str, float]) -> dict[str, float]:
    """Probability with which each creative of a campaign is chosen, before its campaign's place is.

    One in ten draws is even, so that each creative is tried; the others are in proportion to
    (click probability)^4: one that is clicked 1.5 times as often is chosen five times as often.

    Args:
        click_chances: click probability by creative, above 0.

    >>> [round(chance, 3) for chance in creative_chances({"a": 0.03, "b": 0.02}).values()]
    [0.802, 0.198]
    """
    top = max(click_chances.values())
    weights = {name: (chance / top) ** _SHARPNESS for name, chance in click_chances.items()}
    total = math.fsum(weights.values())
    return {
        name: EXPLORED / len(weights) + (1 - EXPLORED) * weight / total
        for name, weight in weights.items()
    }


def drawn_creative(chances: Mapping[str, float], random: Random) -> str:
    """A creative, drawn with these probabilities; a single one takes no random number."""
    if len(chances) == 1:
        return next(iter(chances))
    left = random.random() * math.fsum(chances.values())
    for name, chance in chances.items():
        left -= chance
        if left < 0:
            return name
    return name
