"""Effect of noisy texts on a ranking: `python -m benchmarks.noisy_texts --encoder DIR`.

Replays MovieLens-100K with the original texts, and again with every text changed. Reports the
overlap of the top tens and the change of recall, each with its 95 % interval by user.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from penchant.config import Config, parse
from penchant.domain.arrays import Float64, Int32
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Item, Matrix
from penchant.encoder.onnx import OnnxEncoder
from penchant.evaluation.metrics import estimates, recall
from penchant.evaluation.penchant import PenchantRecommender, middle_clock
from penchant.evaluation.replay import TOP, ReplayResult, replay
from penchant.evaluation.targets import EvaluationTargets, ReplayConfig, choose_targets
from penchant.evaluation.text_noise import (
    in_capitals,
    in_small_letters,
    shuffled_list,
    with_typos,
)
from penchant.logs.datasets.movielens import read_movielens
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import parse_relevance
from penchant.logs.stream import Stream, make_stream

SEED = 1

PERTURBATIONS: dict[str, Callable[[Item], str]] = {
    "capitals": lambda film: in_capitals(film.text),
    "small letters": lambda film: in_small_letters(film.text),
    "genres shuffled": lambda film: _with_genres(film, shuffled_list(_genres(film), SEED)),
    "typos, 2 % of the letters": lambda film: with_typos(film.text, 0.02, SEED),
    "typos, 5 %": lambda film: with_typos(film.text, 0.05, SEED),
    "typos, 10 %": lambda film: with_typos(film.text, 0.10, SEED),
    "typos, 20 %": lambda film: with_typos(film.text, 0.20, SEED),
    "no genres": lambda film: film.attributes["title"],
}


def _genres(film: Item) -> str:
    return film.attributes.get("genres", "")


def _with_genres(film: Item, genres: str) -> str:
    return f"{film.attributes['title']}. {genres}" if genres else film.text


def shared(one: Int32, other: Int32) -> Float64:
    """overlap@10 of two sets of n rankings, 0 to 1, shape (n,).

    >>> shared(np.arange(10)[None], np.arange(5, 15)[None]).tolist()
    [0.5]
    """
    same: Float64 = (one[:, :, None] == other[:, None, :]).any(axis=2).mean(axis=1)
    return same


def compare(
    stream: Stream, targets: EvaluationTargets, plain: ReplayResult, changed: ReplayResult
) -> dict[str, object]:
    """overlap@10, the change of recall@10, and recall@10, each as mean, low and high."""
    columns = [
        shared(plain.top, changed.top),
        recall(changed.rank, TOP) - recall(plain.rank, TOP),
        recall(changed.rank, TOP),
    ]
    user = stream.user[targets.positions]
    names = ("overlap@10", "change of recall@10", "recall@10")
    found = estimates(np.stack(columns, axis=1), user, SEED)
    return {
        name: [round(number, 4) for number in (one.mean, one.low, one.high)]
        for name, one in zip(names, found, strict=True)
    }


def runs(
    config: Config,
    stream: Stream,
    targets: EvaluationTargets,
    replay_config: ReplayConfig,
    *,
    refreshed: bool,
) -> Callable[[Matrix], ReplayResult]:
    """Makes a function that replays the stream with given text vectors."""

    def run(vectors: Matrix) -> ReplayResult:
        penchant = PenchantRecommender(config, vectors, middle_clock() if refreshed else None)
        with threadpool_limits(1):
            return replay(stream, penchant, targets, replay_config)

    return run


def measure(encoder_directory: Path, every: int) -> Iterator[dict[str, object]]:
    """Yields the figures of every perturbation, without and with a refresh."""
    data = read_movielens()
    relevance = parse_relevance("rating>=4")
    stream = make_stream(data.films, data.ratings, DEFAULT_SIGNALS, relevance, LeftOut())
    encoder = OnnxEncoder.load(encoder_directory, threads=1)
    encoded = {
        name: encoder.encode([perturb(film) for film in stream.items])
        for name, perturb in PERTURBATIONS.items()
    }
    texts = encoder.encode([film.text for film in stream.items])
    for refreshed, fast_weight in ((False, ""), (True, "6")):
        parameters = {"store": "memory:", "encoder": str(encoder_directory)}
        config = parse(parameters | ({"fast_weight": fast_weight} if fast_weight else {}))
        replay_config = ReplayConfig(every=every, refresh_every=5000 if refreshed else 0)
        targets = choose_targets(stream, replay_config)
        run = runs(config, stream, targets, replay_config, refreshed=refreshed)
        plain = run(texts)
        for name, vectors in encoded.items():
            cosine = float(np.einsum("nd,nd->n", vectors, texts).mean())
            yield {
                "perturbation": name,
                "refreshed": refreshed,
                "rankings": len(targets.positions),
                "mean_cosine": round(cosine, 3),
                "plain recall@10": round(float(recall(plain.rank, TOP).mean()), 4),
                **compare(stream, targets, plain, run(vectors)),
            }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path, required=True, help="an exported encoder")
    parser.add_argument("--every", type=int, default=4, help="rank for one in this many ratings")
    options = parser.parse_args()
    for figures in measure(options.encoder, options.every):
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
