"""The services over one store, wired as in `penchant.server.app`, with a settable clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from penchant.catalog.item_biases import ItemBiasTable
from penchant.catalog.view import CatalogView
from penchant.config import Config
from penchant.domain.errors import PenchantError
from penchant.domain.rewards import Signal, SignalTable
from penchant.domain.settings import FoldSettings
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Event, Item, LogRow, Record, UserState
from penchant.encoder.base import Encoders
from penchant.encoder.library import EncoderLibrary
from penchant.service.catalog import CatalogService, PutResult
from penchant.service.event_results import EventResult, FeedbackRequest, check_feedback
from penchant.service.feedback import FeedbackService
from penchant.service.mended_catalog import mend_catalog
from penchant.service.meter import Outcome
from penchant.service.rank import Ranking, RankRequest, RankService
from penchant.service.user_interest import Catalogs, read_catalog
from penchant.service.users import UserService
from penchant.store.base import Store
from penchant.store.codec import encode_record
from penchant.store.counters import scan_counters
from penchant.store.memory import MemoryStore
from penchant.store.users import read_log, read_user
from tests.support.watched_encoder import WatchedEncoder

NOW_US = 1_700_000_000_000_000
"""The clock's first time, in microseconds since 1970."""

SECOND_US = 1_000_000


@dataclass(slots=True)
class CountingMeter:
    """Keeps the measurements that it receives."""

    folds: int = 0
    committed: list[int] = field(default_factory=list)
    stalenesses: list[float] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    clock_doubts: list[str] = field(default_factory=list)
    mends: list[str] = field(default_factory=list)
    degradations: int = 0
    rankings: list[tuple[list[int], bool]] = field(default_factory=list)
    """The rows of each, and whether its user was new."""
    reservations: Counter[str] = field(default_factory=Counter)
    seen: list[Outcome] = field(default_factory=list)
    drifts: list[float] = field(default_factory=list)

    def ranked(self, tops: Sequence[bytes], cold: int) -> None:
        assert cold in (0, len(tops))
        rows = [np.frombuffer(top, np.int64).tolist() for top in tops]
        self.rankings += [(one, cold > 0) for one in rows]

    def reserved(self, outcome: str, options: int) -> None:
        self.reservations[outcome] += options

    def outcomes(self, outcomes: Sequence[Outcome]) -> None:
        self.seen += outcomes

    def interest_drift(self, distance: float) -> None:
        self.drifts.append(distance)

    def fold(self, seconds: float, users: int = 1) -> None:
        assert seconds >= 0
        self.folds += users

    def commit(self, seconds: float, events: int) -> None:
        assert seconds >= 0
        self.committed.append(events)

    def staleness(self, seconds: float) -> None:
        self.stalenesses.append(seconds)

    def encoded(self, texts: int) -> None:
        pass

    def refused(self, reason: str, events: int) -> None:
        self.refusals[reason] += events

    def clock_doubt(self, cause: str) -> None:
        self.clock_doubts.append(cause)

    def mended(self, kind: str) -> None:
        self.mends.append(kind)

    def degraded(self) -> None:
        self.degradations += 1


class World:
    """The services of a server, in one process."""

    def __init__(
        self,
        directory: Path,
        *,
        store: Store | None = None,
        encoder: WatchedEncoder | None = None,
        fold: FoldSettings | None = None,
        signals: SignalTable = DEFAULT_SIGNALS,
        encoders: Encoders | None = None,
        encoder_dir: Path | None = None,
        explorations_per_day: int = 50,
    ) -> None:
        self.now_us = NOW_US
        self.directory = directory
        self.store = store if store is not None else MemoryStore()
        self.encoder = encoder if encoder is not None else WatchedEncoder()
        self.encoders = encoders or EncoderLibrary(self.encoder)
        self.config = Config(
            store="memory:",
            encoder=encoder_dir or directory,
            catalog_dir=directory,
            fold=fold if fold is not None else FoldSettings(),
            signals=signals,
            explorations_per_day=explorations_per_day,
        )
        self.meter = CountingMeter()
        self.catalogs = Catalogs(directory, self.config.fold)
        self.reader = self.catalogs.served
        mend_catalog(self.store, directory, self.read_item_biases)
        self.catalog = CatalogService(self.store, self.catalogs, self.encoders)
        self.feedback = FeedbackService(
            self.store,
            self.catalogs,
            self.config.signals,
            self.read_item_biases(),
            self.clock,
            self.meter,
        )
        self.ranker = RankService(
            self.store,
            self.catalogs,
            self.encoders,
            self.clock,
            self.meter,
            self.config.explorations_per_day,
        )
        self.users = UserService(
            self.store, self.catalogs, signals, self.clock, self.read_item_biases()
        )

    def clock(self) -> int:
        return self.now_us

    def read_item_biases(self) -> ItemBiasTable:
        config = self.config
        item_biases = ItemBiasTable(config.offset_half_life_s, config.offset_prior_impressions)
        with self.store.snapshot() as snapshot:
            item_biases.set(scan_counters(snapshot))
        return item_biases

    def put(self, **texts: str) -> PutResult:
        return self.catalog.put([Item(id_, text) for id_, text in texts.items()])

    def feed(self, *events: Event) -> list[EventResult]:
        """Feeds one call, checked as the dispatch checks it."""
        return self.feed_calls(events)[0]

    def feed_calls(self, *calls: Sequence[Event]) -> list[list[EventResult]]:
        """Feeds several calls in one batch."""
        limits = self.config.limits
        requests = [FeedbackRequest(tuple(events)) for events in calls]
        checked = [
            check_feedback(request, self.now_us, limits) if request.events else request
            for request in requests
        ]
        return [_answered(reply) for reply in self.feedback.feedback(checked)]

    def rank_all(self, requests: Sequence[RankRequest]) -> list[Ranking | PenchantError]:
        return self.ranker.rank(requests)

    def rank(self, request: RankRequest) -> Ranking:
        (reply,) = self.ranker.rank([request])
        if isinstance(reply, PenchantError):
            raise reply
        return reply

    def view(self) -> CatalogView:
        with self.store.snapshot() as snapshot:
            return read_catalog(snapshot, self.reader)

    def state(self, user: str) -> UserState | None:
        with self.store.snapshot() as snapshot:
            return read_user(snapshot, user)

    def record(self, user: str) -> Record:
        state = self.state(user)
        assert state is not None
        return state.record

    def record_bytes(self, user: str) -> bytes:
        return encode_record(self.record(user))

    def log(self, user: str) -> list[LogRow]:
        with self.store.snapshot() as snapshot:
            return read_log(snapshot, user)


def _answered(reply: list[EventResult] | PenchantError) -> list[EventResult]:
    if isinstance(reply, PenchantError):
        raise reply
    return reply


def copy_of(store: Store) -> MemoryStore:
    """A store in memory with the same content."""
    copy = MemoryStore()
    with store.snapshot() as snapshot, copy.transaction() as transaction:
        for key, value in snapshot.scan(b""):
            transaction.put(key, value)
    return copy


def liked(
    event_id: str,
    item: str,
    *,
    user: str = "u",
    signal: str = "like",
    value: float | None = None,
    ago_s: float = 0.0,
    recommendation_id: str = "",
) -> Event:
    """An event, `ago_s` seconds before NOW_US."""
    at_us = NOW_US - round(ago_s * SECOND_US)
    return Event(event_id, user, item, signal, value, at_us, recommendation_id)


def shuffled_batches(events: Iterable[Event], sizes: Iterable[int]) -> list[list[Event]]:
    """The events, cut into batches of these sizes; the rest forms the last batch."""
    left, batches = list(events), []
    for size in sizes:
        batches.append(left[:size])
        left = left[size:]
    return [batch for batch in [*batches, left] if batch]


SIGNALS_WITH_SHORT_WAIT: SignalTable = {
    **DEFAULT_SIGNALS,
    "impression": Signal(reward=-0.5, weight=1.0, wait_s=60.0),
}
