"""The services of a server in a process of its own, over a store that others write to as well.

with world_process(address, directory) as other:
    results = other.ask("feed", events)
"""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from penchant.domain.errors import PenchantError, UserNotFound
from penchant.domain.reservations import Reservations, ReserveRequest
from penchant.domain.types import Event
from penchant.service.event_results import EventResult
from penchant.service.merge_users import MergedUsers, MergeUsersRequest
from penchant.service.rank import Ranking, RankRequest
from penchant.service.reserve import ReserveService
from penchant.store import conflict_retries
from penchant.store.open import open_store
from tests.support.world import World


class ServedWorld:
    """What the process answers."""

    def __init__(self, address: str, directory: Path) -> None:
        self.world = World(directory, store=open_store(address))
        world = self.world
        self._reserver = ReserveService(world.store, world.catalogs, world.clock, world.meter)

    def feed(self, events: Sequence[Event]) -> list[EventResult]:
        """One call."""
        return self.world.feed(*events)

    def feed_each(self, events: Sequence[Event]) -> list[EventResult]:
        """A call for each event."""
        return [self.world.feed(event)[0] for event in events]

    def rank(self, request: RankRequest) -> Ranking:
        return self.world.rank(request)

    def reserve_at_once(self, requests: Sequence[ReserveRequest]) -> list[Reservations]:
        """A batch for each request, all of them at once, each in a thread of its own."""
        begin = threading.Barrier(len(requests))

        def reserve(request: ReserveRequest) -> Reservations | PenchantError:
            begin.wait()
            return self._reserver.reserve([request])[0]

        with ThreadPoolExecutor(len(requests)) as threads:
            found = list(threads.map(reserve, requests))
        return [one for one in found if isinstance(one, Reservations)]

    def forget(self, user: str) -> None:
        self.world.users.forget(user)

    def forget_some(self, users: Sequence[str]) -> None:
        """Forgets those of whom anything is known."""
        for user in users:
            with contextlib.suppress(UserNotFound):
                self.world.users.forget(user)

    def merge_some(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Merges those of whom anything is known."""
        for goes, stays in pairs:
            with contextlib.suppress(UserNotFound):
                self.merge(goes, stays)

    def merge(self, goes: str, stays: str) -> MergedUsers:
        return self.world.users.merge(MergeUsersRequest(goes, stays))

    def offsets(self) -> list[float]:
        self.world.feedback.follow()
        return [float(one) for one in self.world.view().offsets]


def _serve(address: str, directory: Path, pipe: Connection) -> None:
    conflict_retries.LONGEST_S = 60.0  # On a busy machine, many callers take their turns slowly.
    served = ServedWorld(address, directory)
    pipe.send(None)
    while (asked := pipe.recv()) is not None:
        name, arguments = asked
        try:
            pipe.send(getattr(served, name)(*arguments))
        except PenchantError as error:
            pipe.send(error)
    served.world.store.close()


@dataclass(slots=True)
class WorldProcess:
    """The other end of the pipe."""

    pipe: Connection

    def begin(self, name: str, *arguments: Any) -> None:
        """Asks, and does not wait for the answer."""
        self.pipe.send((name, arguments))

    def answer(self) -> Any:
        """The answer to what was asked first."""
        found = self.pipe.recv()
        if isinstance(found, PenchantError):
            raise found
        return found

    def ask(self, name: str, *arguments: Any) -> Any:
        """Asks and waits."""
        self.begin(name, *arguments)
        return self.answer()


@contextmanager
def world_process(address: str, directory: Path) -> Iterator[WorldProcess]:
    """Starts the process, which ends with the block."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(address, directory, there))
    process.start()
    there.close()
    try:
        here.recv()
        yield WorldProcess(here)
        here.send(None)
        process.join(120)
    finally:
        if process.is_alive():
            process.kill()
        process.join()
