"""What one could use instead of Penchant: peers for the same replay, with their best settings.

docs/measurements/baselines.md says where each comes from and how its settings were chosen.
"""

from __future__ import annotations

from collections.abc import Callable

from penchant.domain.errors import ConfigError
from penchant.offline.evaluation.contender import Contender
from penchant.offline.evaluation.peers.ease import Ease, EaseWindowed
from penchant.offline.evaluation.peers.isgd import Isgd
from penchant.offline.evaluation.peers.item_knn import ItemKnn
from penchant.offline.evaluation.peers.popularity import DecayedPopularity, Popularity


def _ials(seed: int) -> Contender:
    from penchant.offline.evaluation.peers.ials import Ials

    return Ials(seed)


def _sasrec(seed: int) -> Contender:
    from penchant.offline.evaluation.peers.sasrec import SasRec

    return SasRec(seed)


def _vowpal_wabbit(seed: int) -> Contender:
    from penchant.offline.evaluation.peers.vowpal_wabbit import VowpalWabbit

    return VowpalWabbit(seed)


_MAKERS: dict[str, Callable[[int], Contender]] = {
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


def make(name: str, seed: int) -> Contender:
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
