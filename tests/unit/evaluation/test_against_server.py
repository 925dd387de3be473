"""A real server and a replay in process give the same scores for the same events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from penchant.config import Config, catalog_directory, parse
from penchant.domain.types import Context, Event, Item, Matrix, Vector
from penchant.evaluation.penchant import PenchantRecommender, Refresh, middle_clock
from penchant.evaluation.replay import replay
from penchant.evaluation.targets import ReplayConfig, choose_targets
from penchant.launch import Server
from penchant.logs.datasets.movielens import read_movielens
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import parse_relevance
from penchant.logs.stream import Stream, make_stream
from penchant.refresh.refresh import refresh_store
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.store.open import open_store
from penchant_sdk import Event as SdkEvent
from penchant_sdk import Item as SdkItem
from penchant_sdk import Penchant
from tests.support.movielens import needs_movielens
from tests.support.served import served
from tests.support.word_encoder import write_word_encoder

pytestmark = [pytest.mark.server, needs_movielens]

ITEMS = 1000
"""Upper limit of items in one ranking."""
USERS = 8
EVENTS_EACH = 40
APART_US = 2 * 3600 * 1_000_000
"""Time between events, long enough for the server to publish all offsets at each event."""


def small_movielens() -> tuple[list[Item], list[Event]]:
    """The first films, and the first ratings of a few users for them, in turn, two hours apart."""
    data = read_movielens()
    films = list(data.films[:ITEMS])
    known = {film.id for film in films}
    of_user: defaultdict[str, list[Event]] = defaultdict(list)
    for event in data.ratings:
        if event.item in known and len(of_user[event.user]) < EVENTS_EACH:
            of_user[event.user].append(event)
    chosen = [events for events in of_user.values() if len(events) == EVENTS_EACH][:USERS]
    turns = [event for turn in zip(*chosen, strict=True) for event in turn]
    first_us = data.ratings[0].occurred_at_us
    # These names sort in the stream's order, so that the store sums in the same order.
    names = {event.user: f"user{place}" for place, event in enumerate(turns[:USERS])}
    return films, [
        replace(event, user=names[event.user], occurred_at_us=first_us + place * APART_US)
        for place, event in enumerate(turns)
    ]


ROUNDING = 1e-4
"""Most that two scores of an item differ by: one way's sums have another order than the other's."""


class Noted(PenchantRecommender):
    """Penchant that keeps the scores that it gave."""

    def __init__(
        self, config: Config, vectors: Matrix, refresh: Refresh | None = None, **others: Any
    ) -> None:
        super().__init__(config, vectors, refresh, **others)
        self.noted: list[Vector] = []

    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        self.noted.append(super().scores(user, at_us, context))
        return self.noted[-1]


def refresh_beside(config: Config) -> None:
    """Does what `penchant refresh` does while the server runs."""
    directory = catalog_directory(config)
    assert directory is not None
    store = open_store(config.store, map_bytes=0)
    try:
        refresh_store(store, directory, config, RefreshSettings())
    finally:
        store.close()


def served_scores(
    penchant: Penchant, stream: Stream, replay_config: ReplayConfig, refresh: Callable[[], None]
) -> list[Vector]:
    """Scores of the items in the server's ranking before each target; NaN of those left out.

    Every event is fed back in turn.
    """
    fits = {replay_config.start(stream), *replay_config.refits(stream)}
    targets = set(choose_targets(stream, replay_config).positions.tolist())
    numbers = {item.id: number for number, item in enumerate(stream.items)}
    penchant.put_items([SdkItem(item.id, item.text) for item in stream.items])
    found = []
    for position, event in enumerate(stream.events):
        at_s = event.occurred_at_us / 1e6
        if position in fits:
            refresh()
        if position in targets:
            ranking = penchant.rank(event.user, k=ITEMS, exclude_seen=True, as_of=at_s)
            scores = np.full(ITEMS, np.nan, np.float32)
            for item in ranking.items:
                scores[numbers[item.id]] = item.score
            found.append(scores)
        ack = penchant.feedback(
            [
                SdkEvent(
                    user=event.user,
                    item=event.item,
                    signal=event.signal,
                    value=event.value,
                    occurred_at=at_s,
                    event_id=event.event_id,
                )
            ]
        )
        ack.raise_for_refused()
    return found


@pytest.mark.parametrize("refreshed", [False, True])
def test_a_server_gives_the_scores_of_the_evaluation(tmp_path: Path, refreshed: bool) -> None:
    films, events = small_movielens()
    encoder = write_word_encoder(
        tmp_path / "encoder", [film.text for film in films], dimensions=32, seed=1
    )
    settings = {
        "store": f"lmdb:{tmp_path / 'store'}",
        "encoder": str(encoder),
        "opening_offset_weight": "1.5",
    }
    config, replay_config = parse(settings), ReplayConfig(refresh_every=100 if refreshed else 0)
    relevance = parse_relevance("rating>=4")
    stream = make_stream(films, events, config.signals, relevance, LeftOut())
    middle = middle_clock(RefreshSettings(), config) if refreshed else None
    recommender = Noted.load(config, stream, middle)
    targets = choose_targets(stream, replay_config)
    result = replay(stream, recommender, targets, replay_config)
    server = Server(tmp_path / "server", settings)
    with served(server), Penchant(server.target, timeout_s=60.0) as penchant:

        def refresh() -> None:
            if refreshed:
                refresh_beside(config)

        served_all = served_scores(penchant, stream, replay_config, refresh)
    for position, theirs, mine in zip(
        targets.positions, served_all, recommender.noted, strict=True
    ):
        of_user = stream.user[:position] == stream.user[position]
        shown = ~np.isnan(theirs)
        assert set(np.flatnonzero(~shown)) == set(stream.item[:position][of_user])
        assert theirs[shown] == pytest.approx(mine[shown], abs=ROUNDING)
    assert len(result.rank) > 100
    assert len(set(result.rank.tolist())) > 50
