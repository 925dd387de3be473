"""Cost of exploration and of diversity per ranking: `python -m benchmarks.exploration_cost`.

In one process, without Triton: the median time of a ranking of ten by each policy, relative to the
greedy one in the same run. The policies take turns; the user has 100 events.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from penchant.domain.exploration import EpsilonGreedy, Exploration, PlackettLuce, Thompson
from penchant.domain.types import Event, Item
from penchant.service.rank import RankRequest, RankService
from tests.support.world import NOW_US, World

EVENTS = 100
K = 10
GREEDY = RankRequest("u", K)
REQUESTS = {
    "greedy": GREEDY,
    "diversity 0.5": dataclasses.replace(GREEDY, diversity=0.5),
    "Plackett-Luce": dataclasses.replace(GREEDY, explore=Exploration(PlackettLuce(0.5))),
    "epsilon-greedy": dataclasses.replace(GREEDY, explore=Exploration(EpsilonGreedy(0.1))),
    "Thompson": dataclasses.replace(GREEDY, explore=Exploration(Thompson(1.0))),
}


def prepared(directory: Path, items: int) -> RankService:
    """Makes a ranker over `items` items, and a user with events."""
    world = World(directory)
    put = [Item(str(number), f"item {number}") for number in range(items)]
    for start in range(0, items, 5000):
        world.catalog.put(put[start : start + 5000])
    rng = np.random.default_rng(1)
    world.feed(
        *(
            Event(f"e{n}", "u", str(rng.integers(items)), "like", None, NOW_US - n * 10**6)
            for n in range(EVENTS)
        )
    )
    return world.ranker


def measure(ranker: RankService, rounds: int) -> dict[str, float]:
    """Measures the median seconds of each kind of ranking."""
    seconds: dict[str, list[float]] = {name: [] for name in REQUESTS}
    with threadpool_limits(1):
        for _ in range(rounds):
            for name, request in REQUESTS.items():
                began = time.perf_counter()
                (reply,) = ranker.rank([request])
                seconds[name].append(time.perf_counter() - began)
                assert not isinstance(reply, Exception), reply
    return {name: float(np.median(values)) for name, values in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    for items in (100, 2_000, 100_000):
        with tempfile.TemporaryDirectory() as place:
            found = measure(prepared(Path(place), items), options.rounds)
        ratios = {name: round(value / found["greedy"], 2) for name, value in found.items()}
        print(json.dumps({"items": items, "greedy_ms": round(1e3 * found["greedy"], 3), **ratios}))


if __name__ == "__main__":
    main()
