"""A random catalog with a user, which the compiled rank and NumPy's both rank."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from penchant.catalog.files import Frozen
from penchant.catalog.numbers import ItemNumbers
from penchant.catalog.view import CatalogView
from penchant.domain.cold_start import flat_cold_start_prior
from penchant.domain.errors import PenchantError
from penchant.domain.event_weights import time_bucket
from penchant.domain.interest import Prior
from penchant.domain.limits import Limits
from penchant.domain.neighbours import NEIGHBOUR_DTYPE, OPENING
from penchant.domain.settings import FoldSettings
from penchant.domain.types import (
    NO_WAIT,
    RECENT_DTYPE,
    WINDOW_DTYPE,
    CatalogHead,
    Interest,
    Record,
    UserState,
)
from penchant.encoder.bag_of_words import BagOfWords
from penchant.encoder.library import EncoderLibrary
from penchant.service.meter import SilentMeter
from penchant.service.rank import RankService, check_rank
from penchant.service.user_interest import Catalogs, Offered, fold_key
from penchant.store.memory import MemoryStore
from penchant.store.newest import write_newest
from penchant.store.owned import write_owned
from penchant.store.users import write_user
from penchant.wire.call import parse_call
from penchant.wire.rank import rank_reply, rank_request
from penchant_proto.v1.service_pb2 import Call, Reply

pytest.importorskip("penchant_native", reason="not built: pip install ./native")
from penchant.server.native_rank import NativeRank  # It imports the module.

NOW_US = 1_700_000_000_000_000
DAY_US = 86_400_000_000
USER = "ann \u00e9"
DIMENSIONS = (1, 3, 16, 21, 64)

Numbers = Callable[[tuple[int, ...]], "np.typing.NDArray[np.float32]"]


def eighths(rng: np.random.Generator) -> Numbers:
    """Numbers whose products and sums are exact, so that neither way rounds, and ties are many."""
    return lambda shape: (rng.integers(-8, 9, shape) / 8).astype(np.float32)


def any_numbers(rng: np.random.Generator) -> Numbers:
    return lambda shape: rng.standard_normal(shape).astype(np.float32)


@dataclass
class Shop:
    """A random catalog, a user with a cached fold, and both ways to rank in it."""

    seed: int
    rows: int
    numbers_of: Callable[[np.random.Generator], Numbers]
    rng: np.random.Generator = field(init=False)
    store: MemoryStore = field(default_factory=MemoryStore)
    directory: Path = Path(os.devnull)
    """Of the catalog's files; none can be written into this one."""

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.view = self._view()
        self.offered = Offered(self.view)
        self._write_user()
        catalogs = cast(Catalogs, self)  # It reads one view, and that is all.
        self.native = NativeRank(
            self.store, catalogs, lambda: NOW_US, SilentMeter(), 50, Limits(), None
        )
        encoders = EncoderLibrary(BagOfWords())
        self.service = RankService(
            self.store, catalogs, encoders, lambda: NOW_US, SilentMeter(), 50
        )

    @property
    def served(self) -> Shop:
        return self

    def still(self, view: CatalogView) -> bool:
        return view is self.view

    def read(self, _: object) -> Offered:
        return self.offered

    def _view(self) -> CatalogView:
        rng, rows, numbers = self.rng, self.rows, self.numbers_of(self.rng)
        d = int(rng.choice(DIMENSIONS))
        alive = rng.random(rows) < rng.choice([0.5, 1.0])
        ids = [f"item {number}" for number in range(rows + 3)]
        by_id = ItemNumbers()
        for number in np.flatnonzero(alive).tolist():
            by_id.add(ids[number], number)
        by_id.settle()
        neighbours = np.zeros((0, 0), NEIGHBOUR_DTYPE)
        if rng.random() < 0.8:
            neighbours = np.zeros((int(rng.integers(1, rows + 2)), 5), NEIGHBOUR_DTYPE)
            neighbours["item"] = rng.integers(0, rows + 4, neighbours.shape)
            neighbours["strength"] = numbers(neighbours.shape)
        tailed, begins = (bool(one) for one in rng.random(2) < 0.5)
        fold = FoldSettings(
            tail_offset_weight=0.5 * tailed,
            tail_lift=0.25 * tailed,
            opening_offset_weight=1.5 * begins,
            near_weight=0.5,
        )
        if rng.random() < 0.2:
            fold = replace(fold, updater="prototypes", prototypes=2)
        head = CatalogHead(
            version=int(rng.integers(1, 2**40)),
            rows=rows,
            alive=int(alive.sum()),
            dimensions=d,
            encoder_version="words-é",
        )
        return CatalogView(
            head=head,
            settings=fold,
            digest=int(rng.integers(0, 2**63)),
            vectors=numbers((rows, d)),
            texts=numbers((rows, d)),
            offsets=numbers((rows,)),
            prior=Prior(np.eye(d), numbers((d,)).astype(np.float64)),
            neighbours=neighbours,
            offset_weights=numbers((rows,)),
            popularity=numbers((rows,)),
            tail=np.abs(numbers((rows,))),
            frozen=Frozen(np.eye(d), np.zeros(d), flat_cold_start_prior(d)),
            alive=alive,
            ids=ids,
            numbers=by_id,
        )

    def _write_user(self) -> None:
        rng, view, numbers = self.rng, self.view, self.numbers_of(self.rng)
        events = int(rng.integers(0, 6))
        window = np.zeros(events, WINDOW_DTYPE)
        window["occurred_at_us"] = np.sort(NOW_US - rng.integers(0, 2 * DAY_US, events))
        window["item"] = rng.integers(0, self.rows + 3, events)
        window["wait_s"] = rng.choice([float(NO_WAIT), 30.0], events)
        window["propensity"] = rng.choice([0.0, 0.5, 1.0], events)
        recent = np.zeros(int(rng.integers(0, 4)), RECENT_DTYPE)
        recent["item"] = rng.integers(0, self.rows + 3, len(recent))
        recent["weight"] = np.abs(numbers((len(recent),)))
        if len(recent) and rng.random() < 0.5:
            recent["item"][-1] = OPENING
        newest = int(rng.choice([NOW_US, NOW_US - 5 * DAY_US]))
        fold_us = min(NOW_US, newest + DAY_US)
        key = fold_key(view, time_bucket(fold_us, view.settings), np.zeros(5, np.uint32))
        if rng.random() < 0.1:
            key = replace(key, time_bucket=key.time_bucket + 1)
        d = view.head.dimensions
        interest = Interest(numbers((view.settings.interests * d,)), numbers((d,)), recent)
        with self.store.transaction() as transaction:
            write_newest(transaction, newest)
            if rng.random() < 0.8:
                write_user(transaction, USER, UserState(Record(events, window), key, interest))
            if rng.random() < 0.7:
                write_owned(transaction, USER, rng.integers(0, self.rows + 3, 4).tolist())

    def answers(self, call: Call) -> tuple[Reply | None, bytes, Reply | PenchantError]:
        """The compiled way's reply, its bytes, and NumPy's."""
        payload = call.SerializeToString()
        parsed = self.native.parse(payload)
        written = None if parsed is None else self.native.answer([parsed])[0]
        try:
            request = check_rank(rank_request(parse_call(payload).message), Limits())
            (result,) = self.service.rank([request])
            general = result if isinstance(result, PenchantError) else rank_reply(result)
        except PenchantError as error:
            general = error
        return (None if written is None else Reply.FromString(written)), written or b"", general
