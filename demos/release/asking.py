"""Clients that keep asking while releases come and go, and whether any reply mixed two spaces.

A reply's scores are computed again from the files of the one catalog version that it names. Were a
user's interest, a query or an item's vector of another encoder, they could not agree.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from penchant.catalog.view import CatalogReader, CatalogView
from penchant.cli.import_ import sdk_event
from penchant.config import Config
from penchant.domain.event_weights import time_bucket
from penchant.domain.interest import score, user_vector
from penchant.domain.neighbours import near_all
from penchant.domain.types import Event, UserState, Vector
from penchant.domain.window import empty_record
from penchant.encoder.base import Encoder
from penchant.service.user_interest import interest_of, read_catalog
from penchant.store.base import Store
from penchant.store.users import read_user
from penchant_sdk import Penchant, PenchantError, Ranking

K = 10
QUERIES = ("", "a film for children", "a war film")
TOLERANCE = 1e-3
"""Between a score and the same computed again: a server encodes queries in other batches."""
FED = 20
"""Events that are fed back in one call."""
PAUSE_S = 0.02
"""Of each client between two calls: the same machine trains the encoder."""


@dataclass(frozen=True, slots=True)
class AskedRanking:
    """One request and its reply."""

    user: str
    query: str
    reply: Ranking
    seconds: float


@dataclass(slots=True)
class Asking:
    """Two clients that rank and one that feeds back, all the while."""

    target: str
    users: Sequence[str]
    """Watched: they get no events meanwhile, so that their replies can be computed again."""
    as_of_s: float
    events: Sequence[Event]
    """Of other users, fed back one after the other."""
    asked: list[AskedRanking] = field(default_factory=list)
    fed: int = 0
    failures: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Asking:
        targets: list[Callable[[], None]] = [self._rank, self._rank, self._feed]
        self._threads = [threading.Thread(target=target, daemon=True) for target in targets]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait(self, seconds: float) -> None:
        """Lets them ask for a while."""
        self._stop.wait(seconds)

    def _rank(self) -> None:
        with Penchant(self.target, timeout_s=10.0) as penchant:
            turn = threading.get_ident() % 7
            while not self._stop.is_set():
                user = self.users[turn % len(self.users)]
                query = QUERIES[turn % len(QUERIES)]
                turn += 1
                self._stop.wait(PAUSE_S)
                began = time.perf_counter()
                try:
                    reply = penchant.rank(user, k=K, query=query, as_of=self.as_of_s, explain=True)
                except PenchantError as error:
                    self.failures.append(f"rank: {error}")
                    continue
                self.asked.append(AskedRanking(user, query, reply, time.perf_counter() - began))

    def _feed(self) -> None:
        with Penchant(self.target, timeout_s=10.0) as penchant:
            for start in range(0, len(self.events), FED):
                if self._stop.is_set():
                    return
                some = self.events[start : start + FED]
                try:
                    penchant.feedback([sdk_event(event) for event in some])
                except PenchantError as error:
                    self.failures.append(f"feedback: {error}")
                self.fed += len(some)
                self._stop.wait(0.1)


class Recomputed:
    """What the watched users' rankings must say under one catalog version."""

    def __init__(
        self,
        store: Store,
        directory: Path,
        config: Config,
        encoder: Encoder,
        users: Sequence[str],
        as_of_s: float,
    ) -> None:
        """Computes it from the store and the files, by the domain's own functions."""
        with store.snapshot() as snapshot:
            view = read_catalog(snapshot, CatalogReader(directory, config.fold))
            states = {user: read_user(snapshot, user) for user in users}
        self.version = view.head.version
        self.encoder_version = view.head.encoder_version
        asked = [query for query in QUERIES if query]
        vectors = dict(zip(asked, encoder.encode(asked), strict=True))
        self._rows = {id_: row for row, id_ in enumerate(view.ids)}
        self._personal = {
            (user, query): _personal(view, state, as_of_s, vectors.get(query))
            for user, state in states.items()
            for query in QUERIES
        }

    def agrees(self, asked: AskedRanking) -> bool:
        """Whether each score of a reply, its offset aside, is the one that was computed."""
        if asked.reply.encoder_version != self.encoder_version:
            return False
        meant = self._personal[asked.user, asked.query]
        for item in asked.reply.items:
            why = item.explanation
            assert why is not None
            given = why.slow + why.fast + why.near + why.query
            if abs(given - meant[self._rows[item.id]]) > TOLERANCE:
                return False
        return True


def _personal(
    view: CatalogView, state: UserState | None, as_of_s: float, query: Vector | None
) -> Vector:
    """Scores of all items without the live offsets, shape (rows,)."""
    bucket = time_bucket(int(as_of_s * 1e6), view.settings)
    interest, _ = interest_of(UserState((state or UserState(empty_record())).record), view, bucket)
    towards = user_vector(interest, query, view.settings)
    scores, _ = score(view.vectors, np.zeros(view.head.rows, np.float32), towards, view.settings)
    if len(view.neighbours):
        near = near_all(view.neighbours, interest.recent, view.head.rows)
        scores += np.float32(view.settings.near_weight) * near
    return scores
