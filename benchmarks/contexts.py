"""What contexts are worth where they matter, and what they cost where not.

`python -m benchmarks.contexts --encoder DIR`

MovieLens-100K four times: two people at a time share an account and take turns, five ratings each,
with the context `part_of_day` (morning for one, night for the other); the same accounts with
contexts drawn at random; people as they are, with the part of day and the weekday of their ratings;
and, as the bound, the two people apart. `context_halvings` is chosen on the first 30 %.
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
from penchant.domain.signals.default import DEFAULT_SIGNALS
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
"""Ratings of one person before it is the other's turn."""
HALVINGS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
TRAIN_FRACTION = 0.3
MORNING: Context = (("part_of_day", "morning"),)
NIGHT: Context = (("part_of_day", "night"),)

Told = Sequence[Event]


def sharing(ratings: Told) -> list[Event]:
    """Two people to an account, drawn at random, whose ratings alternate in blocks.

    An account's ratings happen at the times at which the two rated.
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


def _turns(one: Told, other: Told) -> Iterator[tuple[Event, Context]]:
    left = [(list(one), MORNING), (list(other), NIGHT)]
    while left[0][0] or left[1][0]:
        events, context = left[0]
        for event in events[:TURN]:
            yield event, context
        del events[:TURN]
        left.reverse()


def apart(events: Told) -> list[Event]:
    """The two people of each account with an account each, at the same times."""
    return [
        dataclasses.replace(event, user=f"{event.user} {event.context}", context=())
        for event in events
    ]


def at_random(events: Told) -> list[Event]:
    """The same events in contexts that say nothing."""
    night = np.random.default_rng(SEED).random(len(events)) < 0.5
    return [
        dataclasses.replace(event, context=NIGHT if late else MORNING)
        for event, late in zip(events, night.tolist(), strict=True)
    ]


def by_the_clock(events: Told) -> list[Event]:
    """People as they are, in the part of day and on the weekday (UTC) of their ratings."""
    return [
        dataclasses.replace(event, context=_clock(event.occurred_at_us / 1e6)) for event in events
    ]


def _clock(at_s: float) -> Context:
    when = datetime.fromtimestamp(at_s, UTC)
    part = ("night", "morning", "afternoon", "evening")[when.hour // 6]
    return (("part_of_day", part), ("weekday", str(when.weekday())))


LOGS: dict[str, Callable[[Told], list[Event]]] = {
    "a shared account": sharing,
    "contexts at random": lambda ratings: at_random(sharing(ratings)),
    "part of day and weekday": by_the_clock,
    "two accounts": lambda ratings: apart(sharing(ratings)),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """A replay's rankings."""

    rank: Float64
    user: Int64


def ranks(stream: Stream, vectors: Matrix, config: Config, halvings: float, every: int) -> Found:
    """One replay."""
    fold = dataclasses.replace(config.fold, context_halvings=halvings)
    ours = PenchantRecommender(dataclasses.replace(config, fold=fold), vectors)
    plan = ReplayConfig(TRAIN_FRACTION, every=every)
    targets = choose_targets(stream, plan)
    with threadpool_limits(1):
        return Found(replay(stream, ours, targets, plan).rank, stream.user[targets.positions])


def measure(encoder_directory: Path, every: int) -> Iterator[dict[str, object]]:
    """Every log: the width that the first part chooses, and what it is worth on the rest."""
    data = read_movielens()
    config = parse({"store": "memory:", "encoder": str(encoder_directory)})
    encoder = OnnxEncoder.load(encoder_directory, threads=1)
    vectors = encoder.encode([film.text for film in data.films])
    relevance = parse_relevance("rating>=4")
    for name, log in LOGS.items():
        stream = make_stream(data.films, log(data.ratings), DEFAULT_SIGNALS, relevance, LeftOut())
        part = first_events(stream, int(TRAIN_FRACTION * len(stream.events)))
        widths = HALVINGS if any(event.context for event in stream.events) else HALVINGS[:1]
        chosen_by = {
            halvings: float(ndcg(ranks(part, vectors, config, halvings, 1).rank, TOP).mean())
            for halvings in widths
        }
        best = max(chosen_by, key=lambda halvings: chosen_by[halvings])
        plain = ranks(stream, vectors, config, 0.0, every)
        for halvings in sorted({0.0, best, widths[-1]}):
            found = ranks(stream, vectors, config, halvings, every)
            columns = [f(found.rank, TOP) - f(plain.rank, TOP) for f in (recall, ndcg)]
            gain = estimates(np.stack(columns, axis=1), found.user, SEED)
            yield {
                "log": name,
                "context_halvings": halvings,
                "chosen": halvings == best,
                "on the first part": round(chosen_by[halvings], 4),
                "rankings": len(found.rank),
                "recall@10": round(float(recall(found.rank, TOP).mean()), 4),
                "NDCG@10": round(float(ndcg(found.rank, TOP).mean()), 4),
                "gain": [[round(x, 4) for x in (one.mean, one.low, one.high)] for one in gain],
            }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path, required=True, help="as `penchant export` wrote it")
    parser.add_argument("--every", type=int, default=2, help="rank for one of so many ratings")
    options = parser.parse_args()
    for figures in measure(options.encoder, options.every):
        print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
