"""Chooses settings for an updater on the first 30,000 ratings of MovieLens alone.

    python -m benchmarks.updater_choice --encoder DIRECTORY --updater logistic

The encoder is fine-tuned on the oldest 20,000 ratings and exported with 64 dimensions or more. The
fold learns 20,000 ratings and ranks for the next 10,000. The criterion is the mean NDCG@10 of two
replays: with item vectors refreshed every 5,000 ratings, and never. The search is random, with
equally many draws for all updaters: half near a start that they share, half near the best so far.
Prints the best settings as JSON.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np

from benchmarks.updater_runs import (
    REFRESH_EVERY,
    SEED,
    Settings,
    cached_middle_clock,
    measure,
    read_stream,
    vectors_by,
)
from penchant.domain.settings import UPDATER_NAMES
from penchant.evaluation.targets import ReplayConfig

RATINGS, DIMENSIONS = 30_000, 64
FIT_SHARE, EVERY = 2 / 3, 4
"""Share learnt before the first ranking; one in this many hits is ranked for."""

SHARED = {
    "slow_weight": 5.0,
    "fast_weight": 5.5,
    "catalog_weight": 130.0,
    "ridge": 1.5,
    "half_life_events": 55.0,
    "fast_half_life_events": 2.0,
    "offset_weight": 0.75,
}
"""Start of every search: the settings that docs/measurements/quality.md chose for ridge."""

OWN = {
    "adagrad": {"learning_rate": 1.0, "initial_accumulator": 1.0},
    "prototypes": {"prototypes": 3, "prototype_sharing": 0.5},
}
"""Settings of one updater alone, at their defaults."""

WIDE, NARROW = 0.5, 0.25
"""Standard deviations of the logarithm of a draw's factors."""


def near(centre: Settings, spread: float, rng: np.random.Generator) -> dict[str, float | int]:
    """Draws each setting as `centre` times a log-normal factor, in range, to three digits."""
    drawn: dict[str, float | int] = {}
    for name, value in centre.items():
        moved = float(value) * math.exp(spread * rng.standard_normal())
        if name == "prototypes":
            drawn[name] = min(8, max(2, round(moved)))
        elif name == "prototype_sharing":
            drawn[name] = float(f"{min(1.0, moved):.3g}")
        else:
            drawn[name] = float(f"{moved:.3g}")
    return drawn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--updater", choices=UPDATER_NAMES, required=True)
    parser.add_argument("--draws", type=int, default=30)
    options = parser.parse_args()
    stream = read_stream(RATINGS)
    vectors = vectors_by(options.encoder, stream, [DIMENSIONS])[DIMENSIONS]
    refresh, rng = cached_middle_clock(), np.random.default_rng(SEED)
    best: dict[str, float | int] = {**SHARED, **OWN.get(options.updater, {})}
    start, best_value = best, 0.0
    for draw in range(options.draws):
        tried = start if draw == 0 else near(start, WIDE, rng)
        if draw > options.draws // 2:
            tried = near(best, NARROW, rng)
        settings: Settings = {**tried, "updater": options.updater}
        fresh = measure(
            stream, vectors, ReplayConfig(FIT_SHARE, EVERY, REFRESH_EVERY), settings, refresh
        )
        fixed = measure(stream, vectors, ReplayConfig(FIT_SHARE, EVERY, 0), settings, None)
        value = (fresh.ndcg + fixed.ndcg) / 2
        if value > best_value:
            best, best_value = tried, value
            print(draw, f"{best_value:.4f}", json.dumps(best), flush=True)


if __name__ == "__main__":
    main()
