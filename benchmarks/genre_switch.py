"""The time that a list takes to follow a turn to a new genre within a session, on a real log.

`python -m benchmarks.genre_switch --encoder DIR`

MovieLens-100K stands in for a log of players. A session ends when a user rates nothing for half an
hour; it is the context `session`, beside the part of day. A user turns to a new genre if at most
one of the last ten likes (4 stars or more) was of that genre, and the next three ratings within one
session are likes of it. The top ten is taken before them and after each. `context_halvings` is
chosen on the first 30,000 ratings: fitted on 20,000, judged on the rest.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from penchant.catalog.search import top_k
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

SESSION_GAP_S = 1800.0
LIKED = 4.0
EARLIER, OF_THE_GENRE, EVENTS = 10, 1, 3
HELD = 3
"""Items of a genre in the top ten for the list to hold that genre."""
HALVINGS = (0.0, 0.5, 1.0, 2.0, 4.0)
FIRST, FITTED = 30_000, 20_000
SEED = 1


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn to a new genre."""

    genre: str
    positions: tuple[int, ...]
    """Positions of the three likes in the stream."""
    session_begun: bool
    """Whether most of the ten likes before were in earlier sessions."""


def with_sessions(ratings: Sequence[Event]) -> list[Event]:
    """The ratings with their sessions as contexts."""
    last: dict[str, float] = {}
    session: defaultdict[str, int] = defaultdict(int)
    events = []
    for event in ratings:
        at_s = event.occurred_at_us / 1e6
        if at_s - last.get(event.user, at_s) > SESSION_GAP_S:
            session[event.user] += 1
        last[event.user] = at_s
        part = ("night", "morning", "afternoon", "evening")[
            datetime.fromtimestamp(at_s, UTC).hour // 6
        ]
        context: Context = (("part_of_day", part), ("session", str(session[event.user])))
        events.append(dataclasses.replace(event, context=context))
    return events


def genres_of(stream: Stream) -> list[frozenset[str]]:
    """Genres of each item."""
    return [
        frozenset(filter(None, item.attributes.get("genres", "").split(", ")))
        for item in stream.items
    ]


def find_turns(stream: Stream, start: int) -> list[Turn]:
    """Finds every turn from a position on; turns of one user do not overlap."""
    genres = genres_of(stream)
    of_user: defaultdict[int, list[int]] = defaultdict(list)
    for position, user in enumerate(stream.user.tolist()):
        of_user[user].append(position)
    turns = []
    for positions in of_user.values():
        free = 0
        for place in range(len(positions) - EVENTS + 1):
            three = positions[place : place + EVENTS]
            if place < free or three[0] < start:
                continue
            liked = [one for one in positions[:place] if stream.relevant[one]][-EARLIER:]
            genre = _new_genre(stream, genres, liked, three)
            if genre:
                here = dict(stream.events[three[0]].context)["session"]
                earlier = sum(dict(stream.events[one].context)["session"] != here for one in liked)
                turns.append(Turn(genre, tuple(three), 2 * earlier > len(liked)))
                free = place + EVENTS
    return sorted(turns, key=lambda turn: turn.positions)


def _new_genre(
    stream: Stream, genres: Sequence[frozenset[str]], liked: Sequence[int], three: Sequence[int]
) -> str:
    """The genre that is new in three events, given the likes before; empty if there is none."""
    if not all(stream.relevant[position] for position in three):
        return ""
    if len({stream.events[position].context for position in three}) > 1:
        return ""
    if len(liked) < EARLIER:
        return ""
    common: frozenset[str] = frozenset.intersection(
        *(genres[stream.item[position]] for position in three)
    )
    for genre in sorted(common):
        if sum(genre in genres[stream.item[position]] for position in liked) <= OF_THE_GENRE:
            return genre
    return ""


def shares(stream: Stream, vectors: Matrix, config: Config, turns: Sequence[Turn]) -> Float64:
    """Share of the genre in the top ten before a turn and after each event, shape (turns, 4)."""
    penchant = PenchantRecommender(config, vectors)
    penchant.fit(stream, 0)
    genres = genres_of(stream)
    asked: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, turn in enumerate(turns):
        asked[turn.positions[0]].append((number, 0))
        for place, position in enumerate(turn.positions, start=1):
            asked[position + 1].append((number, place))
    seen: defaultdict[int, list[int]] = defaultdict(list)
    found = np.zeros((len(turns), EVENTS + 1))
    for position in range(len(stream.events) + 1):
        for number, place in asked.get(position, ()):
            turn = turns[number]
            first = stream.events[turn.positions[0]]
            user = int(stream.user[turn.positions[0]])
            at_us = int(stream.at_us[turn.positions[max(0, place - 1)]])
            scores = np.array(penchant.scores(user, at_us, first.context), np.float32)
            scores[seen[user]] = -np.inf
            best = top_k(scores, TOP).tolist()
            found[number, place] = np.mean([turn.genre in genres[item] for item in best])
        if position < len(stream.events):
            penchant.learn(position)
            seen[int(stream.user[position])].append(int(stream.item[position]))
    return found


def measure(encoder_directory: Path, every: int) -> Iterator[dict[str, object]]:
    """Yields the figures of every width: on the first part, which chooses, and on the rest."""
    data = read_movielens()
    config = parse({"store": "memory:", "encoder": str(encoder_directory)})
    encoder = OnnxEncoder.load(encoder_directory, threads=1)
    vectors = encoder.encode([film.text for film in data.films])
    relevance = parse_relevance(f"rating>={LIKED:g}")
    log = with_sessions(data.ratings)
    stream = make_stream(data.films, log, DEFAULT_SIGNALS, relevance, LeftOut())
    part = first_events(stream, FIRST)
    turns = find_turns(stream, FIRST)
    plain: dict[str, Float64] = {}
    for halvings in HALVINGS:
        fold = dataclasses.replace(config.fold, context_halvings=halvings)
        mine = dataclasses.replace(config, fold=fold)
        criterion = _ndcg(part, vectors, mine, ReplayConfig(FITTED / FIRST))
        replay_config = ReplayConfig(FIRST / len(stream.events), every=every)
        targets = choose_targets(stream, replay_config)
        rank = replay(stream, PenchantRecommender(mine, vectors), targets, replay_config).rank
        held = shares(stream, vectors, mine, turns)
        plain = plain or {"shares": held, "recall": recall(rank, TOP)}
        gain = estimates(
            (recall(rank, TOP) - plain["recall"])[:, None], stream.user[targets.positions], SEED
        )
        begun = np.array([turn.session_begun for turn in turns])
        users = stream.user[[turn.positions[0] for turn in turns]]
        yield {
            "context_halvings": halvings,
            "NDCG@10 on the first part": round(criterion, 4),
            "recall@10": round(float(recall(rank, TOP).mean()), 4),
            "against 0": _rounded(gain),
            "all turns": _figures(held, plain["shares"], users),
            "a sitting just begun": _figures(held[begun], plain["shares"][begun], users[begun]),
        }


def _figures(held: Float64, plain: Float64, users: Int64) -> dict[str, object]:
    """Figures of some turns, shape (turns, 4), against those with `context_halvings` 0."""
    return {
        "turns": len(held),
        "share of the new genre": held.mean(0).round(3).tolist(),
        "gain after each event": _rounded(estimates((held - plain)[:, 1:], users, SEED)),
        "risen": (held[:, 1:] > held[:, :1]).mean(0).round(3).tolist(),
        "held": (held * TOP >= HELD - 1e-9).mean(0).round(3).tolist(),
    }


def _ndcg(stream: Stream, vectors: Matrix, config: Config, replay_config: ReplayConfig) -> float:
    targets = choose_targets(stream, replay_config)
    return float(
        ndcg(
            replay(stream, PenchantRecommender(config, vectors), targets, replay_config).rank, TOP
        ).mean()
    )


def _rounded(found: Sequence[object]) -> list[list[float]]:
    return [[round(getattr(one, name), 4) for name in ("mean", "low", "high")] for one in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path, required=True, help="an exported encoder")
    parser.add_argument("--every", type=int, default=3, help="rank for one in this many ratings")
    options = parser.parse_args()
    with threadpool_limits(1):
        for figures in measure(options.encoder, options.every):
            print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
