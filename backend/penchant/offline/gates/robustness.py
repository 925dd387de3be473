"""The catalog's texts as careless hands leave them: each item's changed in one of three ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penchant.offline.evaluation.perturbations import in_capitals, shuffled_list, with_typos

TYPO_RATE = 0.05
"""The share of the letters."""

KINDS = ("typos", "capitals", "list order")


@dataclass(frozen=True, slots=True)
class Careless:
    """The texts of n items, changed."""

    texts: tuple[str, ...]
    kind: NDArray[np.int64]
    """The place in `KINDS` of what changed each, -1 where nothing did, shape (n,)."""


def careless(texts: Sequence[str], seed: int) -> Careless:
    """Changes each text in a way drawn by the seed; equal seeds, equal texts.

    One encoding and one replay serve all three ways: what each of them costs is told by the
    rankings for the items that it changed.

    >>> some = careless(["Heat (1995). Crime, Drama", "Toy Story (1995). Comedy"], seed=1)
    >>> some.texts
    ('HEAT (1995). CRIME, DRAMA', 'Toy Sory (1995). Comedy')
    >>> [KINDS[kind] for kind in some.kind]
    ['capitals', 'typos']
    """
    kind = np.random.default_rng(seed).permutation(len(texts)) % len(KINDS)
    changed = tuple(
        _changed(text, KINDS[number], seed)
        for text, number in zip(texts, kind.tolist(), strict=True)
    )
    same = np.array([before == after for before, after in zip(texts, changed, strict=True)])
    kind[same] = -1
    return Careless(changed, kind)


def _changed(text: str, kind: str, seed: int) -> str:
    if kind == "typos":
        return with_typos(text, TYPO_RATE, seed)
    return in_capitals(text) if kind == "capitals" else shuffled_list(text, seed)
