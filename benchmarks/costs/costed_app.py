"""The server's own app in this process, over an LMDB store, filled for a measurement."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.prepare import RandomEncoder, fill_users, item_id, user_id
from penchant.config import Config, parse
from penchant.domain.errors import PenchantError
from penchant.encoder.library import EncoderLibrary
from penchant.server.app import App, build
from penchant.server.in_process import MODELS
from penchant.service.meter import SilentMeter
from penchant.store.base import Store
from penchant.store.open import open_store
from penchant_proto.v1 import catalog_pb2, event_pb2, feedback_pb2, item_pb2, rank_pb2
from penchant_proto.v1.service_pb2 import Call, Reply

VERSION = "c057c057c057c057"
_PUT = 1000
_POOL = 997
"""Different rankings of a measurement."""
_MAP_BYTES = 16 << 30


class CostedApp:
    """Answers serialized calls; what it costs is what a model's process would pay for them."""

    def __init__(self, app: App, items: int, users: int, now_us: int) -> None:
        self._app = app
        self._rng = random.Random(7)
        self.items, self.users, self.now_us = items, users, now_us

    def handle(self, call: Call) -> Reply:
        """The reply to a call.

        Raises:
            PenchantError: the call was refused.
        """
        reply = self._app.handle(call.SerializeToString())
        if isinstance(reply, PenchantError):
            raise reply
        return reply

    def rankings(self, k: int = 10, candidates: int = 0, user: str = "") -> Callable[[int], object]:
        """Rankings of random users, made and serialized beforehand, as a call by number."""
        made = [
            self.ranking(user or self.anybody(), k, candidates).SerializeToString()
            for _ in range(_POOL)
        ]

        def rank(number: int) -> object:
            reply = self._app.handle(made[number % _POOL])
            assert not isinstance(reply, PenchantError)
            return reply.SerializeToString()

        return rank

    def ranking(self, user: str, k: int = 10, candidates: int = 0) -> Call:
        """A ranking as of the time at which the folds of the users were made."""
        request = rank_pb2.RankRequest(user=user, k=min(k, self.items), as_of_us=self.now_us)
        if candidates:
            chosen = self._rng.sample(range(self.items), min(candidates, self.items))
            request.candidates.ids.extend(map(item_id, chosen))
        return Call(rank=request)

    def feed(self, user: str, count: int = 1) -> Reply:
        """Sends events of a user, each new."""
        events = [
            event_pb2.Event(
                event_id=f"{self._rng.getrandbits(128):032x}",
                user=user,
                item=item_id(self._rng.randrange(self.items)),
                signal="like",
            )
            for _ in range(count)
        ]
        return self.handle(Call(feedback=feedback_pb2.FeedbackRequest(events=events)))

    def anybody(self) -> str:
        """A random user of the store."""
        return user_id(self._rng.randrange(max(self.users, 1)))


@contextmanager
def costed_app(
    place: Path,
    *,
    items: int,
    users: int = 0,
    dimensions: int = 64,
    settings: Mapping[str, str] | None = None,
) -> Iterator[CostedApp]:
    """An app with items and users, until the block ends."""
    config = config_at(place, settings)
    now_us = time.time_ns() // 1000
    encoders = EncoderLibrary(RandomEncoder(VERSION, dimensions))
    app = build(MODELS, config, encoders, SilentMeter())
    try:
        _put(CostedApp(app, items, users, now_us), items)
        if users:  # A process opens a store once: first the app, then the users, then the app.
            app.close()
            fill_users(config, users, now_us)
            app = build(MODELS, config, encoders, SilentMeter())
        yield CostedApp(app, items, users, now_us)
    finally:
        app.close()


def _put(app: CostedApp, items: int) -> None:
    for start in range(0, items, _PUT):
        put = [
            item_pb2.Item(id=item_id(number), text=f"item number {number}")
            for number in range(start, min(start + _PUT, items))
        ]
        app.handle(Call(put_items=catalog_pb2.PutItemsRequest(items=put)))


def config_at(place: Path, settings: Mapping[str, str] | None = None) -> Config:
    """The configuration of an app whose store is in a directory."""
    given = {
        "store": f"lmdb:{place}",
        "encoder": "none",
        "store_map_bytes": str(_MAP_BYTES),
        **dict(settings or {}),
    }
    return parse(given)


def used_bytes(place: Path) -> int:
    """Bytes of the pages in use of a store."""
    store: Store = open_store(f"lmdb:{place}", map_bytes=0)
    try:
        return store.usage().used_bytes
    finally:
        store.close()


def catalog_bytes(place: Path) -> int:
    """Bytes of the catalog's files beside a store."""
    return sum(file.stat().st_size for file in (place / "catalog").glob("*") if file.is_file())


def decades(sizes: Sequence[int], quick: bool) -> list[int]:
    """The sizes of a curve; quick: only whether the program runs."""
    return list(sizes[:2]) if quick else list(sizes)
