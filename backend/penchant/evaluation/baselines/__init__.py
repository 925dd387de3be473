"""Baselines: alternatives to Penchant with tuned settings, for the same replay.

docs/measurements/baselines.md names the source of each and says how its settings were chosen.
"""

from __future__ import annotations

from collections.abc import Callable

from penchant.domain.errors import ConfigError
from penchant.evaluation.baselines.ease import Ease, EaseWindowed
from penchant.evaluation.baselines.isgd import Isgd
from penchant.evaluation.baselines.item_knn import ItemKnn
from penchant.evaluation.baselines.personal_frequency import (
    PersonalFrequency,
    RecentPersonalFrequency,
)
from penchant.evaluation.baselines.popularity import DecayedPopularity, MostPopular
from penchant.evaluation.recommender import Recommender
from penchant.system.optional_package import needs_extra


def _ials(seed: int) -> Recommender:
    from penchant.evaluation.baselines.ials import Ials

    return Ials(seed)


def _sasrec(seed: int) -> Recommender:
    from penchant.evaluation.baselines.sasrec import SasRec

    return SasRec(seed)


def _vowpal_wabbit(seed: int) -> Recommender:
    from penchant.evaluation.baselines.vowpal_wabbit import VowpalWabbit

    return VowpalWabbit(seed)


_MAKERS: dict[str, Callable[[int], Recommender]] = {
    "popularity": lambda seed: MostPopular(),
    "decayed-popularity": lambda seed: DecayedPopularity(),
    "personal-frequency": lambda seed: PersonalFrequency(),
    "personal-frequency-decayed": lambda seed: RecentPersonalFrequency(),
    "isgd": Isgd,
    "item-knn": lambda seed: ItemKnn(),
    "ials": _ials,
    "ease": lambda seed: Ease(),
    "ease-windowed": lambda seed: EaseWindowed(),
    "sasrec": _sasrec,
    "vowpal-wabbit": _vowpal_wabbit,
}

NAMES: tuple[str, ...] = tuple(_MAKERS)
"""The names that `make` accepts."""


def make(name: str, seed: int) -> Recommender:
    """Makes a baseline that has learnt nothing yet.

    Packages that only some baselines need are imported here, because PyTorch takes seconds.

    Args:
        name: one of `NAMES`.
        seed: seed of all its draws; equal seeds and equal events give equal scores.

    Raises:
        ConfigError: the name is unknown, or a package is missing.

    >>> make("popularity", seed=0).name
    'popularity'
    """
    if name not in _MAKERS:
        raise ConfigError(f"peers: got {name!r}, expected one of {', '.join(NAMES)}")
    with needs_extra(f"peers: {name}", "peers"):
        return _MAKERS[name](seed)
