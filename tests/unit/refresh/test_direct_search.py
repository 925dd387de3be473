"""Laws of the search for weights."""

from __future__ import annotations

import numpy as np

from penchant.refresh.direct_search import DirectSearch, Part, Rankings, Weighting


def rankings(rng: np.random.Generator, count: int = 60, rivals: int = 12) -> Rankings:
    """Three parts in three variants each, which know more or less of the item that was chosen."""

    def variant() -> np.ndarray:  # type: ignore[type-arg]  # Of float32.
        values = rng.normal(0, rng.choice([0.5, 5.0]), (count, rivals)).astype(np.float32)
        values[:, 0] += np.float32(rng.uniform(0, 2))
        return values

    parts = tuple(Part(name, (variant(), variant(), variant())) for name in ("a", "b", "c"))
    everyone = np.ones((count, rivals), np.bool_)
    return Rankings(parts, np.zeros(count, np.int64), everyone, rng.uniform(0.5, 1, count))


def test_what_is_found_is_worth_no_less_than_the_start() -> None:
    for seed in range(150):
        rng = np.random.default_rng(seed)
        search = DirectSearch(rankings(rng), Weighting(np.ones(3), (0, 0, 0)))
        start = Weighting(rng.dirichlet(np.ones(3)), tuple(rng.integers(0, 3, 3).tolist()))
        assert search.value(search.improve(start)) >= search.value(start) - 1e-9, seed
