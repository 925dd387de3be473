"""Fills a store before its server starts, without an encoder and without a client.

Users are copies of a few hundred templates, each with a window, its fold and its newest log rows.
So 200,000 records take seconds, and each is exactly as the writer would have left it.
"""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from penchant.catalog.view import CatalogReader, CatalogView
from penchant.config import Config, catalog_directory, parse
from penchant.domain.arrays import Float32
from penchant.domain.context import nowhere
from penchant.domain.event_weights import time_bucket
from penchant.domain.interest import fold
from penchant.domain.rewards import resolve
from penchant.domain.types import Event, Item, LogRow, UserState
from penchant.domain.window import empty_record, entry, insert
from penchant.encoder.bundle import read_bundle
from penchant.encoder.library import EncoderLibrary
from penchant.service.catalog import CatalogService
from penchant.service.user_interest import Catalogs, fold_key, read_catalog
from penchant.store.base import Store
from penchant.store.open import open_store
from penchant.store.users import write_event, write_user

WINDOW_EVENTS = 30
"""Events in each user's record, unless told otherwise."""
LOGGED_EVENTS = 3
"""Newest of these events, which are also written to the log; all of them would take minutes."""
TEMPLATES = 500
CHUNK = 20_000
_DAY_US = 86_400_000_000
_SIGNALS = ("like", "click", "view", "skip")


class RandomEncoder:
    """A stand-in for an encoder: seeded random unit vectors under the real encoder's version."""

    def __init__(self, version: str, dimensions: int, seed: int = 1) -> None:
        self.version = version
        self.dimensions = dimensions
        self._random = np.random.default_rng(seed)

    def encode(self, texts: Sequence[str]) -> Float32:
        """Random unit vectors, shape (n, d), different at each call."""
        shape = (len(texts), self.dimensions)
        vectors = self._random.standard_normal(shape, dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


def item_id(number: int) -> str:
    """Id of an item that `fill_catalog` puts."""
    return f"item-{number:06}"


def user_id(number: int) -> str:
    """Id of a user that `fill_users` writes."""
    return f"user-{number:07}"


def config_for(store: Path, encoder: Path) -> Config:
    """Settings of a server with this store and encoder."""
    return parse({"store": f"lmdb:{store}", "encoder": str(encoder)})


def fill_catalog(config: Config, items: int) -> Path:
    """Puts items through the backend's own service and returns the file of their vectors."""
    bundle = read_bundle(config.encoder)
    encoder = RandomEncoder(bundle.version, bundle.settings.dimensions)
    directory = _directory(config)
    store = open_store(config.store)
    try:
        catalogs = Catalogs(directory, config.fold)
        service = CatalogService(store, catalogs, EncoderLibrary(encoder))
        head = service.put([Item(item_id(n), f"item number {n}") for n in range(items)]).head
    finally:
        store.close()
    return directory / f"vectors-{head.generation}.f32"


def fill_users(
    config: Config,
    users: int,
    now_us: int,
    first: int = 0,
    chunk: int = CHUNK,
    window_events: int = WINDOW_EVENTS,
) -> None:
    """Writes the users from `first` to `users` - 1, with folds that are current at `now_us`.

    Args:
        config: settings of the store.
        users: the users that there are afterwards.
        now_us: epoch microseconds.
        first: users that are there already.
        chunk: users of a transaction.
        window_events: in each one's record.
    """
    store = open_store(config.store)
    try:
        templates = _templates(config, store, now_us, min(TEMPLATES, users - first), window_events)
        for start in range(first, users, chunk):
            with store.transaction() as transaction:
                for number in range(start, min(start + chunk, users)):
                    user = user_id(number)
                    state, rows = templates[number % len(templates)]
                    write_user(transaction, user, state)
                    for row in rows:
                        event = dataclasses.replace(row.event, user=user)
                        write_event(transaction, dataclasses.replace(row, event=event))
    finally:
        store.close()


def now() -> int:
    """Epoch microseconds."""
    return time.time_ns() // 1000


def _directory(config: Config) -> Path:
    directory = catalog_directory(config)
    if directory is None:
        raise ValueError(f"store: got {config.store}, expected a store in a directory")
    return directory


def _templates(
    config: Config, store: Store, now_us: int, count: int, window_events: int
) -> list[tuple[UserState, list[LogRow]]]:
    reader = CatalogReader(_directory(config), config.fold)
    with store.snapshot() as snapshot:
        view = read_catalog(snapshot, reader)
    rng = random.Random(2)
    return [_template(config, view, now_us, rng, window_events) for _ in range(count)]


def _template(
    config: Config, view: CatalogView, now_us: int, rng: random.Random, window_events: int
) -> tuple[UserState, list[LogRow]]:
    times = sorted(now_us - rng.randrange(1, 30 * _DAY_US) for _ in range(window_events))
    rows = [
        LogRow(_event(rng, view.head.rows, at_us), position + 1, at_us)
        for position, at_us in enumerate(times)
    ]
    entries = []
    for row in rows:
        outcome = resolve(config.signals, row.event.signal, None)
        entries.append(entry(row.event, view.numbers[row.event.item], outcome))
    record = insert(empty_record(), entries, config.fold.window_events)
    bucket = time_bucket(now_us, config.fold)
    interest = fold(view.prior, record.window, view.items_of(record.window), bucket, config.fold)
    return UserState(record, fold_key(view, bucket, nowhere()), interest), rows[-LOGGED_EVENTS:]


def _event(rng: random.Random, items: int, at_us: int) -> Event:
    item, signal = item_id(rng.randrange(items)), rng.choice(_SIGNALS)
    return Event(f"{rng.getrandbits(128):032x}", "", item, signal, None, at_us)
