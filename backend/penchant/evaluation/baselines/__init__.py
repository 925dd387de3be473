"""What one could use instead of Penchant: peers for the same replay, with their best settings.

docs/measurements/baselines.md says where each comes from and how its settings were chosen.
"""

from __future__ import annotations

from collections.abc import Callable

from penchant.domain.errors import ConfigError
from penchant.evaluation.baselines.ease import Ease, EaseWindowed
from penchant.evaluation.baselines.isgd import Isgd
from penchant.evaluation.baselines.item_knn import ItemKnn
from penchant.evaluation.baselines.popularity import DecayedPopularity, Popularity
from penchant.evaluation.recommender import Recommender


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
    "popularity": lambda seed: Popularity(),
    "decayed-popularity": lambda seed: DecayedPopularity(),
    "isgd": Isgd,
    "item-knn": lambda seed: ItemKnn(),
    "ials": _ials,
    "ease": lambda seed: Ease(),
    "ease-windowed": lambda seed: EaseWindowed(),
    "sasrec": _sasrec,
    "vowpal-wabbit": _vowpal_wabbit,
}

NAMES: tuple[str, ...] = tuple(_MAKERS)
"""What `make` knows."""


def make(name: str, seed: int) -> Recommender:
    """A peer that has learnt nothing yet.

    The packages that only some peers need are imported here, not before: PyTorch takes seconds.

    Args:
        name: One of `NAMES`.
        seed: Of all that it draws; the same seed and the same events give the same scores.

    Raises:
        ConfigError: an unknown name, or a package that is not installed.

    >>> make("popularity", seed=0).name
    'popularity'
    """
    if name not in _MAKERS:
        raise ConfigError(f"peers: got {name!r}, expected one of {', '.join(NAMES)}")
    try:
        return _MAKERS[name](seed)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"peers: {name} needs the package {error.name}, which is not installed; "
            "pip install 'penchant[peers]'"
        ) from error
