"""`kill -9` of the whole server, at any moment, loses no acked event and applies none twice."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from penchant.catalog.view import CatalogReader
from penchant.config import Config, parse
from penchant.launch import Server
from penchant.launch.model_parameters import gather
from penchant.launch.server import ATTEMPTS
from penchant.service.user_interest import read_catalog
from penchant.store.base import Store
from penchant.store.open import open_store
from penchant_sdk import (
    Event,
    Item,
    ModelNotFound,
    Penchant,
    PenchantError,
    ServerError,
    Unavailable,
)
from tests.contracts.client_world import KITCHEN, SPACE
from tests.support.acked import assert_all_is_there_once

pytestmark = [pytest.mark.server, pytest.mark.timeout(1800)]

ROUNDS = int(os.environ.get("TEST_KILLS", "8"))
FEEDERS = 4
FILMS = [Item(f"film-{number}", text) for number, text in enumerate(SPACE + KITCHEN)]


class Feeders:
    """Clients that feed one event after the other until their server is gone."""

    def __init__(self, target: str, round_: int) -> None:
        self.acked: set[str] = set()
        self.acked_items: set[str] = set()
        self._round = round_
        self._penchant = Penchant(target, timeout_s=60.0, max_attempts=1)
        self._more = threading.Condition()

    def feed(self, feeder: int) -> None:
        """Likes of a few users; an ack counts when the call has returned."""
        dice = random.Random(f"{self._round} {feeder}")
        with _until_it_is_gone():
            for number in range(1_000_000):
                event_id = f"{self._round}-{feeder}-{number}"
                item = dice.choice(FILMS).id
                event = Event(f"user-{dice.randrange(6)}", item, "like", event_id=event_id)
                self._penchant.feedback([event]).raise_for_refused()
                with self._more:
                    self.acked.add(event_id)
                    self._more.notify_all()

    def put_items(self) -> None:
        """One new item after the other."""
        with _until_it_is_gone():
            for number in range(1_000_000):
                item = Item(f"new-{self._round}-{number}", f"{SPACE[0]}, part {number}")
                self._penchant.put_items([item])
                self.acked_items.add(item.id)

    def wait_for_acks(self, count: int) -> None:
        with self._more:
            assert self._more.wait_for(lambda: len(self.acked) >= count, timeout=300)

    def close(self) -> None:
        self._penchant.close()


@contextmanager
def _until_it_is_gone() -> Iterator[None]:
    try:
        yield
    except PenchantError as error:
        if type(error) not in (Unavailable, ModelNotFound, ServerError):
            raise


@contextmanager
def opened(config: Config) -> Iterator[Store]:
    store = open_store(config.store)
    try:
        yield store
    finally:
        store.close()


def feed_and_kill(server: Server, round_: int, dice: random.Random) -> Feeders:
    """Kills the group after some acks, while other calls are on their way."""
    feeders = Feeders(server.target, round_)
    with ThreadPoolExecutor(FEEDERS + 1) as threads:
        working = [threads.submit(feeders.feed, feeder) for feeder in range(FEEDERS)]
        working.append(threads.submit(feeders.put_items))
        try:
            feeders.wait_for_acks(dice.randint(1, 300))
        finally:
            server.kill()
        for future in working:
            future.result()
    feeders.close()
    return feeders


def test_kills_lose_no_acked_event_and_apply_none_twice(
    tmp_path: Path, encoder: Path, server_in: Callable[[Path], Server]
) -> None:
    dice = random.Random(20260103)
    config = parse(gather(f"lmdb:{tmp_path / 'store'}", encoder))
    server = server_in(tmp_path)
    acked: set[str] = set()
    acked_items = {film.id for film in FILMS}
    for round_ in range(ROUNDS):
        # On the very files that the kill left: there is nothing to repair.
        server.start(attempts=ATTEMPTS)
        if round_ == 0:
            with Penchant(server.target, timeout_s=30.0) as penchant:
                penchant.put_items(FILMS)
        feeders = feed_and_kill(server, round_, dice)
        acked |= feeders.acked
        acked_items |= feeders.acked_items
        with opened(config) as store, store.snapshot() as snapshot:
            assert_all_is_there_once(snapshot, acked, config)
            view = read_catalog(snapshot, CatalogReader(tmp_path / "store/catalog", config.fold))
            assert acked_items <= set(view.numbers)
    assert len(acked) > 20 * ROUNDS
    with server, Penchant(server.target, timeout_s=30.0) as penchant:
        for number in range(6):
            export = penchant.export_user(f"user-{number}")
            assert acked >= {row.event.event_id for row in export.events} - _unanswered(acked)
            assert penchant.rank(f"user-{number}").state_version == len(export.events)


def _unanswered(acked: set[str]) -> set[str]:
    """Events on their way at a kill may be there too, at most one of each feeder's a round."""
    latest: dict[tuple[str, str], int] = {}
    for event_id in acked:
        round_, feeder, number = event_id.split("-")
        latest[round_, feeder] = max(latest.get((round_, feeder), -1), int(number))
    every = {
        (str(r), str(f)): latest.get((str(r), str(f)), -1)
        for r in range(ROUNDS)
        for f in range(FEEDERS)
    }
    return {f"{round_}-{feeder}-{number + 1}" for (round_, feeder), number in every.items()}
