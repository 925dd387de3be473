"""The settings that a fit tries: those that a refresh does not learn by itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from penchant.domain.settings import FoldSettings
from penchant.fit.trial import FitChoice
from penchant.refresh.refresh_settings import RefreshSettings

_DAY_S = 86_400.0
_FOLD = FoldSettings()

REFRESH_VALUES: Mapping[str, tuple[float, ...]] = {
    "window": (5, 20, 60),
    "text_weight": (0.1, 1.0, 4.0),
    "shrinkage": (1.0, 5.0, 20.0),
}
"""Values of the settings of the refresh."""
FOLD_VALUES: Mapping[str, tuple[float, ...]] = {
    "half_life_s": (7 * _DAY_S, 30 * _DAY_S, 365 * _DAY_S),
    "catalog_weight": (30.0, 100.0, 300.0),
}
"""Values of the settings of the fold."""
CONTEXT_VALUES: Mapping[str, tuple[float, ...]] = {"context_halvings": (0.0, 1.0, 4.0)}
"""Values of those that a log without contexts can't inform."""

CHOICES = 12
"""Choices that a search begins with, the default included."""


def choices_of(
    vectors: str,
    start: RefreshSettings,
    fixed: Sequence[str],
    seed: int,
    *,
    contexts: bool = False,
    count: int = CHOICES,
) -> list[FitChoice]:
    """Choices to compare: the default, each setting moved alone, then seeded mixtures.

    Args:
        vectors: name of the items' vectors.
        start: the settings of the refresh to begin with.
        fixed: names of settings that the user gave, which stay.
        seed: seed of the mixtures.
        contexts: whether events have contexts.
        count: number of choices, at most.

    >>> [choice.weights for choice in choices_of("v", RefreshSettings(), (), seed=1, count=8)][-1]
    {'half_life_s': 604800.0}
    """
    default = FitChoice(vectors, start)
    found = [default]
    spaces = [
        (name, values)
        for name, values in {
            **REFRESH_VALUES,
            **FOLD_VALUES,
            **(CONTEXT_VALUES if contexts else {}),
        }.items()
        if name not in fixed
    ]
    for name, values in spaces:
        found += [_with(default, name, value) for value in values]
    random = np.random.default_rng(seed)
    for _ in range(4 * count if spaces else 0):
        mixed = default
        for name, values in spaces:
            mixed = _with(mixed, name, values[int(random.integers(len(values)))])
        found.append(mixed)
    return list({choice.name: choice for choice in found}.values())[:count]


def _with(choice: FitChoice, name: str, value: float) -> FitChoice:
    if name not in REFRESH_VALUES:
        others = {other: kept for other, kept in choice.weights.items() if other != name}
        moved = {} if value == getattr(_FOLD, name) else {name: value}
        return dataclasses.replace(choice, weights=others | moved)
    given = int(value) if name == "window" else value
    refresh = dataclasses.replace(choice.refresh, **{name: given})  # type: ignore[arg-type]  # The value is of the field's type.
    return dataclasses.replace(choice, refresh=refresh)
