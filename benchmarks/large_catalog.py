"""Neighbours by regression of a large catalog: time and memory of the sparse form.

    python -m benchmarks.large_catalog --items 50000

A made-up log: 20 likes a user, half as many users as items, three in five likes of three kinds of
items that the user keeps to, the others by popularity.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np

from penchant.domain.types import Rows
from penchant.refresh.item_weights import find_item_weights


def made_up(items: int, users: int, each: int) -> tuple[Rows, Rows]:
    """Users and items of the likes, in order."""
    rng = np.random.default_rng(0)
    kinds = max(10, items // 60)
    kind = rng.integers(0, kinds, items)
    by_kind = np.argsort(kind, kind="stable")
    begins = np.searchsorted(kind[by_kind], np.arange(kinds + 1))
    popular = rng.permutation(1 / (1 + np.arange(items)) ** 0.8)
    user = np.repeat(np.arange(users), each)
    count = len(user)
    item = np.searchsorted(np.cumsum(popular) / popular.sum(), rng.random(count))
    taste = rng.integers(0, kinds, (users, 3))[user, rng.integers(0, 3, count)]
    low, high = begins[taste], begins[taste + 1]
    own = (rng.random(count) < 0.6) & (high > low)
    item[own] = by_kind[(low + (rng.random(count) ** 2 * (high - low)).astype(np.int64))[own]]
    return user, np.minimum(item, items - 1)


def main() -> None:
    """Prints seconds of one core, and the largest memory of the process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=50_000)
    items = parser.parse_args().items
    user, item = made_up(items, items // 2, 20)
    began = time.process_time()
    find_item_weights(user, item, items)
    took_s = time.process_time() - began
    most_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{items:,} items, {len(user):,} likes: {took_s:.0f} s, {most_gb:.2f} GB")


if __name__ == "__main__":
    main()
