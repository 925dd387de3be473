"""One refresh of a store at a time: a lock beside it, or a lease in it, which says who holds it.

The lock is on a file in the directory of a store in LMDB. A store in a network has no directory
that all its servers reach, but an engine that gives leases.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from penchant.domain.errors import ConfigError
from penchant.store.address import directory_of
from penchant.store.base import Store
from penchant.system.turn_file import TurnTaken, turn_file, turn_note

NAME = "refresh.lock"

_ASK_EVERY_S = 0.5


class RefreshRunning(ConfigError):
    """Another process is refreshing the store.

    Cause: a clock (`penchant serve`, `penchant refresh --every`) or a `penchant refresh` works on
    the same store; the message names the process.
    Remedy: wait for it; if it is stopped, let it go on or end it, which loses nothing.
    """


class Lease(Protocol):
    """What a store in a network gives one process at a time; it expires unless it is renewed."""

    def take(self, note: str) -> bool:
        """Takes the lease, and keeps it renewed; False if another process holds it."""
        ...

    def holder(self) -> str:
        """What the holder noted; empty if there is none."""
        ...

    def end(self) -> None:
        """Lets go of it."""
        ...


@contextmanager
def refresh_turn(address: str, wait_s: float, store: Store | None = None) -> Iterator[None]:
    """Holds the turn to refresh a store during the body; it ends when this process dies.

    Args:
        address: of the store.
        wait_s: seconds to wait for whoever refreshes it.
        store: the open store, which gives leases if it is one in a network.

    Raises:
        RefreshRunning: somebody still does; the text names the process.
        StoreUnavailable: the lock's file can't be made, or the store does not answer.
    """
    place = directory_of(address)
    try:
        if place is not None:
            with turn_file(place / NAME, wait_s):
                yield
        else:
            with _leased(getattr(store, "lease")("refresh"), wait_s):  # noqa: B009  # Of an engine.
                yield
    except TurnTaken as holder:
        raise RefreshRunning(
            f"refresh: {holder} is refreshing this store; wait for it, since only one refresh at a "
            "time can work on a store"
        ) from None


@contextmanager
def _leased(lease: Lease, wait_s: float) -> Iterator[None]:
    """Holds a lease during the body; raises TurnTaken if somebody else does."""
    deadline = time.monotonic() + wait_s
    while not lease.take(turn_note()):
        if time.monotonic() >= deadline:
            raise TurnTaken(lease.holder() or "another process")
        time.sleep(_ASK_EVERY_S)
    try:
        yield
    finally:
        lease.end()
