"""Clients that rank and feed back without a pause while releases come and go."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from demos.fill_server import feed
from penchant.domain.types import Event
from penchant_sdk import Penchant, PenchantError, Ranking

K = 10
QUERIES = ("", "a film for children", "a war film")
EVENTS_PER_CALL = 20
RANK_PAUSE_S = 0.02
"""Pause of each ranking client between calls: the encoder is trained on the same machine."""
FEEDBACK_PAUSE_S = 0.1
TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class ServedRanking:
    """One rank request and its reply."""

    user: str
    query: str
    reply: Ranking
    seconds: float
    """Duration of the call."""


@dataclass(slots=True)
class ContinuousClients:
    """Two clients that rank and one that feeds back, for as long as the context is open."""

    target: str
    users: Sequence[str]
    """Users to rank for. They get no events meanwhile, so their scores can be recomputed."""
    as_of_s: float
    """Epoch seconds of every ranking."""
    events: Sequence[Event]
    """Events of other users, fed back in order."""
    served: list[ServedRanking] = field(default_factory=list)
    fed: int = 0
    """Number of events fed back."""
    failures: list[str] = field(default_factory=list)
    """Errors of failed calls."""
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> ContinuousClients:
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
        """Lets the clients go on for a while."""
        self._stop.wait(seconds)

    def _rank(self) -> None:
        with Penchant(self.target, timeout_s=TIMEOUT_S) as penchant:
            turn = threading.get_ident() % 7
            while not self._stop.is_set():
                user = self.users[turn % len(self.users)]
                query = QUERIES[turn % len(QUERIES)]
                turn += 1
                self._stop.wait(RANK_PAUSE_S)
                began = time.perf_counter()
                try:
                    reply = penchant.rank(user, k=K, query=query, as_of=self.as_of_s, explain=True)
                except PenchantError as error:
                    self.failures.append(f"rank: {error}")
                    continue
                self.served.append(ServedRanking(user, query, reply, time.perf_counter() - began))

    def _feed(self) -> None:
        with Penchant(self.target, timeout_s=TIMEOUT_S) as penchant:
            for start in range(0, len(self.events), EVENTS_PER_CALL):
                if self._stop.is_set():
                    return
                chunk = self.events[start : start + EVENTS_PER_CALL]
                try:
                    feed(penchant, chunk)
                except PenchantError as error:
                    self.failures.append(f"feedback: {error}")
                self.fed += len(chunk)
                self._stop.wait(FEEDBACK_PAUSE_S)
