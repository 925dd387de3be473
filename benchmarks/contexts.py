"""The gain from contexts where they matter, and their cost where they do not.

`python -m benchmarks.contexts --encoder DIR`

Replays MovieLens-100K four times: with pairs of people who share an account and take turns of five
ratings, in the context `part_of_day` (morning for one, night for the other); with the same accounts
and random contexts; with the original users and the part of day and weekday of their ratings; and,
as the upper bound, with an account for each of the two people. `context_halvings` is chosen on the
first 30 %.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from penchant.config import Config, parse
from penchant.domain.arrays import Float64, Int64
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Context, Event, Matrix
from penchant.encoder.onnx import OnnxEncoder
from penchant.evaluation.metrics import estimates, ndcg, recall
from penchant.evaluation.penchant import PenchantRecommender
from penchant.evaluation.replay import TOP, replay
from penchant.evaluation.targets import ReplayConfig, choose_targets
from penchant.logs.datasets.movielens import read_movielens
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import parse_relevance
from penchant.logs.stream import Stream, first_events, make_stream

SEED = 1
TURN = 5
"""Ratings of one person before the other takes over."""
HALVINGS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
TRAIN_FRACTION = 0.3
MORNING: Context = (("part_of_day", "morning"),)
NIGHT: Context = (("part_of_day", "night"),)

Ratings = Sequence[Event]


def sharing(ratings: Ratings) -> list[Event]:
    """Joins random pairs of people in one account, with ratings that alternate in blocks.

    An account keeps the times of both people's ratings.
    """
    of_user: defaultdict[str, list[Event]] = defaultdict(list)
    for event in ratings:
        of_user[event.user].append(event)
    users = sorted(of_user)
    np.random.default_rng(SEED).shuffle(users)
    shared = []
    for one, other in zip(users[::2], users[1::2], strict=False):
        times = sorted(event.occurred_at_us for name in (one, other) for event in of_user[name])
        turns = _turns(of_user[one], of_user[other])
        for at_us, (event, context) in zip(times, turns, strict=True):
            shared.append(
                dataclasses.replace(
                    event,
                    event_id=f"{event.user}-{event.event_id}",
                    user=f"{one}+{other}",
                    occurred_at_us=at_us,
                    context=context,
                )
            )
    return shared


def _turns(one: Ratings, other: Ratings) -> Iterator[tuple[Event, Context]]:
    left = [(list(one), MORNING), (list(other), NIGHT)]
    while left[0][0] or left[1][0]:
        events, context = left[0]
        for event in events[:TURN]:
            yield event, context
        del events[:TURN]
        left.reverse()


def apart(events: Ratings) -> list[Event]:
    """Gives the two people of each account an account each, at the same times."""
    return [
        dataclasses.replace(event, user=f"{event.user} {event.context}", context=())
        for event in events
    ]


def at_random(events: Ratings) -> list[Event]:
    """The same events in random contexts."""
    night = np.random.default_rng(SEED).random(len(events)) < 0.5
    return [
        dataclasses.replace(event, context=NIGHT if late else MORNING)
        for event, late in zip(events, night.tolist(), strict=True)
    ]


def by_the_clock(events: Ratings) -> list[Event]:
    """The original users, with the part of day and the weekday (UTC) of each rating as context."""
    return [
        dataclasses.replace(event, context=_clock(event.occurred_at_us / 1e6)) for event in events
    ]


def _clock(at_s: float) -> Context:
    when = datetime.fromtimestamp(at_s, UTC)
    part = ("night", "morning", "afternoon", "evening")[when.hour // 6]
    return (("part_of_day", part), ("weekday", str(when.weekday())))


LOGS: dict[str, Callable[[Ratings], list[Event]]] = {
    "a shared account": sharing,
    "contexts at random": lambda ratings: at_random(sharing(ratings)),
    "part of day and weekday": by_the_clock,
    "two accounts": lambda ratings: apart(sharing(ratings)),
}


@dataclasses.dataclass(frozen=True, slots=True)
class ReplayRanks:
    """The rankings of one replay."""

    rank: Float64
    """Rank of each target's item from 1, shape (n,)."""
    user: Int64
    """User of each ranking, shape (n,)."""


def ranks(
    stream: Stream, vectors: Matrix, config: Config, halvings: float, every: int
) -> ReplayRanks:
    """Replays a stream once."""
    fold = dataclasses.replace(config.fold, context_halvings=halvings)
    penchant = PenchantRecommender(dataclasses.replace(config, fold=fold), vectors)
    replay_config = ReplayConfig(TRAIN_FRACTION, every=every)
    targets = choose_targets(stream, replay_config)
    with threadpool_limits(1):
        return ReplayRanks(
            replay(stream, penchant, targets, replay_config).rank, stream.user[targets.positions]
        )


def measure(encoder_directory: Path, every: int) -> Iterator[dict[str, object]]:
    """Yields, for every log, the width chosen on the first part and its gain on the rest."""
    data = read_movielens()
    config = parse({"store": "memory:", "encoder": str(encoder_directory)})
    encoder = OnnxEncoder.load(encoder_directory, threads=1)
    vectors = encoder.encode([film.text for film in data.films])
    relevance = parse_relevance("rating>=4")
    for name, log in LOGS.items():
        stream = make_stream(data.films, log(data.ratings), DEFAULT_SIGNALS, relevance, LeftOut())
        part = first_events(stream, int(TRAIN_FRACTION * len(stream.events)))
        widths = HALVINGS if any(event.context for event in stream.events) else HALVINGS[:1]
        criterion = {
            halvings: float(ndcg(ranks(part, vectors, config, halvings, 1).rank, TOP).mean())
            for halvings in widths
        }
        best = max(criterion, key=lambda halvings: criterion[halvings])
        plain = ranks(stream, vectors, config, 0.0, every)
        for halvings in sorted({0.0, best, widths[-1]}):
            found = ranks(stream, vectors, config, halvings, every)
            columns = [f(found.rank, TOP) - f(plain.rank, TOP) for f in (recall, ndcg)]
            gain = estimates(np.stack(columns, axis=1), found.user, SEED)
            yield {
                "log": name,
                "context_halvings": halvings,
                "chosen": halvings == best,
                "on the first part": round(criterion[halvings], 4),
                "rankings": len(found.rank),
                "recall@10": round(float(recall(found.rank, TOP).mean()), 4),
                "NDCG@10": round(float(ndcg(found.rank, TOP).mean()), 4),
                "gain": [[round(x, 4) for x in (one.mean, one.low, one.high)] for one in gain],
            }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path, required=True, help="an exported encoder")
    parser.add_argument("--every", type=int, default=2, help="rank for one in this many ratings")
    options = parser.parse_args()
    for figures in measure(options.encoder, options.every):
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
