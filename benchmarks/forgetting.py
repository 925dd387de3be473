"""How long one deletion takes, and what a tombstone costs later events.

    python -m benchmarks.forgetting [--users 2000] [--deletions 1000]

In process, on an LMDB store that syncs each commit. Users have 1 to 20 events; those who are
forgotten are drawn by a seed. Feedback of the others is timed before the first deletion and after
the last one, when each event's user is looked for among the tombstones.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

import numpy as np

from penchant.domain.types import Event
from penchant.store.lmdb import LmdbStore
from tests.support.histories import FILMS
from tests.support.world import NOW_US, SECOND_US, World


def feed_s(world: World, draw: random.Random, mark: str, calls: int) -> float:
    """Median seconds of processor time of a call of one event of a known user."""
    took = []
    for number in range(calls):
        user = f"u{draw.randrange(200)}"
        event = Event(f"{mark}{number}", user, "toy", "like", None, world.now_us)
        started = time.process_time()
        world.feed(event)
        took.append(time.process_time() - started)
    return float(np.median(took))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--deletions", type=int, default=1000)
    options = parser.parse_args()
    draw = random.Random(1)
    films = list(FILMS)
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        world = World(root / "catalog", store=LmdbStore(root / "store"))
        world.put(**FILMS)
        for number in range(options.users):
            world.feed(
                *(
                    Event(
                        f"e{number}-{at}",
                        f"u{number}",
                        draw.choice(films),
                        draw.choice(["like", "click", "impression"]),
                        None,
                        NOW_US - draw.randrange(10_000) * SECOND_US,
                    )
                    for at in range(draw.randint(1, 20))
                )
            )
        world.now_us = NOW_US + 60 * SECOND_US
        before = feed_s(world, draw, "b", 500)
        took = []
        for number in draw.sample(range(200, options.users), options.deletions):
            started = time.perf_counter()
            world.users.forget(f"u{number}")
            took.append(time.perf_counter() - started)
        after = feed_s(world, draw, "a", 500)
        world.store.close()
    p50, p99 = (float(np.percentile(took, place)) * 1e3 for place in (50, 99))
    print(f"forget: p50 {p50:.1f} ms, p99 {p99:.1f} ms, max {max(took) * 1e3:.1f} ms")
    print(f"processor time of an event: {before * 1e3:.2f} ms before, {after * 1e3:.2f} ms after")
    print(f"ratio {after / before:.2f}")


if __name__ == "__main__":
    main()
