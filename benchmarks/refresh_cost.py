"""Time and memory of fitting item vectors: `python -m benchmarks.refresh_cost --items N`.

The log is synthetic: items in a hundred groups, with popularity by Zipf's law, and users who stay
with a group for a while. Text vectors are random, which is the hardest case for the eigensolver.
"""

from __future__ import annotations

import argparse
import json
import resource
import time

import numpy as np

from penchant.domain.types import Matrix, Rows
from penchant.logs.interactions import Interactions
from penchant.refresh.item_vectors import fit_item_vectors

GROUPS = 100
STAY = 20
"""Events of a user in one group before the user turns to another."""


def synthetic_events(items: int, events: int, users: int, seed: int) -> Interactions:
    """Makes a log of likes; the time of each is its place in the log."""
    rng = np.random.default_rng(seed)
    per_group = max(1, items // GROUPS)
    user = rng.integers(0, users, events)
    stays = np.arange(events) // (users * STAY)
    group = (user * 7919 + stays * 104729) % GROUPS
    item = group * per_group + zipf_ranks(rng, per_group, events)
    reward = np.ones(events, np.float32)
    return Interactions(
        user, np.minimum(item, items - 1), reward, np.arange(events, dtype=np.int64)
    )


def zipf_ranks(rng: np.random.Generator, ranks: int, count: int) -> Rows:
    """Draws ranks from 0, rank r with a probability proportional to 1 / (r + 1), shape (count,)."""
    shares = np.cumsum(1.0 / np.arange(1, ranks + 1))
    drawn: Rows = np.searchsorted(shares / shares[-1], rng.random(count))
    return drawn


def unit_rows(items: int, dimensions: int, seed: int) -> Matrix:
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((items, dimensions), np.float32)
    unit: Matrix = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=1682)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=0, help="0: one user per 100 events")
    parser.add_argument("--dimensions", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    users = options.users or max(1, options.events // 100)
    events = synthetic_events(options.items, options.events, users, options.seed)
    texts = unit_rows(options.items, options.dimensions, options.seed)
    began, cpu = time.perf_counter(), time.process_time()
    fresh = fit_item_vectors(events, texts)
    seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    figures = {
        "items": options.items,
        "events": options.events,
        "dimensions": options.dimensions,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu_s, 2),
        "peak_gib": round(peak / 2**30, 2),
        "moved_items": int(fresh.residuals.any(axis=1).sum()),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
