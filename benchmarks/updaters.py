r"""Compares the updaters: quality, cost and size.

    penchant finetune --dataset movielens --train-fraction 0.3 --test-fraction 0 --steps 0 \
        --dimensions 128,64,32 --output tuned
    penchant export --source tuned --output onnx --dimensions 128
    python -m benchmarks.updaters --encoder onnx --dimensions 32,64,128

Quality: MovieLens-100K in time order. The first 30,000 ratings are for training; before every
second later rating of 4 or 5, all films that the user has not rated are ranked. Item vectors are
refreshed every 5,000 ratings, and never. Cost: the fold of the busiest user's latest 256 ratings,
and the scores of all films. Prints the rows of the table in docs/measurements/updaters.md.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.updater_runs import (
    REFRESH_EVERY,
    RunQuality,
    Settings,
    cached_middle_clock,
    measure,
    read_stream,
    vectors_by,
)
from penchant.domain.event_weights import time_bucket
from penchant.domain.interest import Items, Prior, fold, prior_precision, score, user_vector
from penchant.domain.rewards import ResolvedSignal
from penchant.domain.settings import FoldSettings
from penchant.domain.types import FoldKey, Interest, Matrix, Record, UserState
from penchant.domain.window import empty_record, entry, insert
from penchant.evaluation.targets import ReplayConfig
from penchant.logs.stream import Stream
from penchant.service.catalog_version import gram_of
from penchant.store.codec import encode_user

RATINGS, TRAIN_FRACTION = 100_000, 0.3
ROUNDS, CALLS = 7, 100

CHOSEN: Mapping[str, Settings] = {
    "ridge": {
        "slow_weight": 5.75,
        "fast_weight": 4.49,
        "catalog_weight": 176.0,
        "ridge": 1.39,
        "half_life_events": 78.4,
        "fast_half_life_events": 1.27,
        "offset_weight": 0.681,
    },
    "logistic": {
        "slow_weight": 5.75,
        "fast_weight": 4.49,
        "catalog_weight": 176.0,
        "ridge": 1.39,
        "half_life_events": 78.4,
        "fast_half_life_events": 1.27,
        "offset_weight": 0.681,
    },
    "diagonal": {
        "slow_weight": 3.15,
        "fast_weight": 6.91,
        "catalog_weight": 296.0,
        "ridge": 0.335,
        "half_life_events": 23.0,
        "fast_half_life_events": 1.35,
        "offset_weight": 0.721,
    },
    "ogd": {
        "slow_weight": 4.31,
        "fast_weight": 6.27,
        "catalog_weight": 132.0,
        "ridge": 0.947,
        "half_life_events": 59.3,
        "fast_half_life_events": 1.38,
        "offset_weight": 0.699,
    },
    "adagrad": {
        "slow_weight": 3.26,
        "fast_weight": 6.09,
        "catalog_weight": 111.0,
        "ridge": 0.672,
        "half_life_events": 90.9,
        "fast_half_life_events": 1.79,
        "offset_weight": 0.692,
        "learning_rate": 0.732,
        "initial_accumulator": 0.895,
    },
    "prototypes": {
        "slow_weight": 7.33,
        "fast_weight": 3.72,
        "catalog_weight": 362.0,
        "ridge": 0.922,
        "half_life_events": 24.5,
        "fast_half_life_events": 1.27,
        "offset_weight": 0.49,
        "prototypes": 6,
        "prototype_sharing": 0.48,
    },
}
"""Settings that `benchmarks.updater_choice` chose for each updater."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of one updater for a user with a full window."""

    fold_us: list[float]
    """Microseconds per fold, by round."""
    score_us: list[float]
    """Microseconds per scoring of the whole catalog, by round."""
    record_bytes: int
    """Size of the record in the store, with the cached interest."""


def settings_of(updater: str) -> FoldSettings:
    return FoldSettings(updater=updater, **CHOSEN[updater])  # type: ignore[arg-type]  # Of mixed types.


def full_record(stream: Stream) -> tuple[Record, int]:
    """The record of the busiest user, and the time of its last event in microseconds."""
    user = int(np.bincount(stream.user).argmax())
    own = np.flatnonzero(stream.user == user).tolist()
    entries = [
        entry(
            stream.events[position],
            int(stream.item[position]),
            ResolvedSignal(float(stream.reward[position]), float(stream.weight[position]), None),
        )
        for position in own
    ]
    record = insert(empty_record(), entries, FoldSettings().window_events)
    return record, int(stream.at_us[own[-1]])


def costs(stream: Stream, vectors: Matrix) -> dict[str, Cost]:
    """Measures the updaters in turn, round by round, so that load on the machine hits all alike."""
    record, at_us = full_record(stream)
    window = record.window
    known = np.ones(len(window), np.bool_)
    items = Items(vectors[window["item"].astype(int)], known)
    gram = gram_of(vectors, np.ones(len(vectors), np.bool_))
    offsets = np.zeros(len(vectors), np.float32)
    found: dict[str, Cost] = {}
    for _ in range(ROUNDS):
        for updater in CHOSEN:
            settings = settings_of(updater)
            prior = Prior(prior_precision(gram, settings), np.zeros(len(gram)))
            bucket = time_bucket(at_us, settings)

            def folded(
                prior: Prior = prior, bucket: int = bucket, settings: FoldSettings = settings
            ) -> Interest:
                return fold(prior, window, items, bucket, settings)

            interest = folded()

            def scored(interest: Interest = interest, settings: FoldSettings = settings) -> object:
                weights = np.full_like(offsets, settings.offset_weight)
                user = user_vector(interest, settings)
                return score(vectors, offsets, weights, 0 * offsets, user)

            state = UserState(record, FoldKey(1, bucket, settings.digest()), interest)
            cost = found.setdefault(updater, Cost([], [], len(encode_user(state))))
            cost.fold_us.append(_microseconds(folded))
            cost.score_us.append(_microseconds(scored))
    return found


def _microseconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - began) / CALLS * 1e6


def qualities(
    stream: Stream, vectors: Matrix, every: int
) -> dict[str, tuple[RunQuality, RunQuality]]:
    """Quality of each updater, with refreshed item vectors and with text vectors alone."""
    refresh = cached_middle_clock()
    replay_configs = (
        ReplayConfig(TRAIN_FRACTION, every, REFRESH_EVERY),
        ReplayConfig(TRAIN_FRACTION, every, 0),
    )
    found = {}
    for updater, chosen in CHOSEN.items():
        settings = {**chosen, "updater": updater}
        fresh = measure(stream, vectors, replay_configs[0], settings, refresh)
        found[updater] = fresh, measure(stream, vectors, replay_configs[1], settings, None)
    return found


def row(
    updater: str,
    quality: Mapping[str, tuple[RunQuality, RunQuality]],
    cost: Mapping[str, Cost],
) -> str:
    """One row of the table: values and, except for ridge, their differences to ridge."""
    cells = [f"`{updater}`"]
    for one, base in zip(quality[updater], quality["ridge"], strict=True):
        is_ridge = updater == "ridge"
        recall, ndcg = one.intervals() if is_ridge else one.intervals(base)
        for value, interval in ((one.recall, recall), (one.ndcg, ndcg)):
            half = (interval.high - interval.low) / 2
            gap = f"± {half:.4f}" if is_ridge else f"({interval.mean:+.4f} ± {half:.4f})"
            cells.append(f"{value:.4f} {gap}")
    own, ridge = cost[updater], cost["ridge"]
    for own_us, ridge_us in ((own.fold_us, ridge.fold_us), (own.score_us, ridge.score_us)):
        ratio = statistics.median(a / b for a, b in zip(own_us, ridge_us, strict=True))
        cells.append(f"{statistics.median(own_us):.0f} ({ratio:.2f})")
    cells.append(f"{own.record_bytes:,}")
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--dimensions", default="32,64,128")
    parser.add_argument("--every", type=int, default=2, help="rank for one in this many hits")
    options = parser.parse_args()
    stream = read_stream(RATINGS)
    lengths = [int(one) for one in options.dimensions.split(",")]
    for dimensions, vectors in vectors_by(options.encoder, stream, lengths).items():
        cost, quality = costs(stream, vectors), qualities(stream, vectors, options.every)
        rankings = len(quality["ridge"][0].user)
        print(f"\nd = {dimensions}, {rankings:,} rankings")
        for updater in CHOSEN:
            print(row(updater, quality, cost), flush=True)


if __name__ == "__main__":
    main()
