"""One refresh of a store at a time: a lock beside it, or a lease in it, which says who holds it.

The lock is on a file in the directory of a store in LMDB. A store in a network has no directory
that all its servers reach, but an engine that gives leases.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from penchant.domain.errors import ConfigError, StoreUnavailable
from penchant.store.base import Store
from penchant.system.file_lock import FileLock

NAME = "refresh.lock"

_NOTE_BYTES = 256
_ASK_EVERY_S = 0.5


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


class RefreshRunning(ConfigError):
    """Another process is refreshing the store.

    Cause: a clock (`penchant serve`, `penchant refresh --every`) or a `penchant refresh` works on
    the same store; the message names the process.
    Remedy: wait for it; if it is stopped, let it go on or end it, which loses nothing.
    """


@contextmanager
def refresh_turn(address: str, wait_s: float, store: Store | None = None) -> Iterator[None]:
    """Holds the turn to refresh a store during the body; the kernel frees it if this process dies.

    Args:
        address: of the store.
        wait_s: seconds to wait for whoever refreshes it.
        store: the open store, which gives leases if it is one in a network.

    Raises:
        RefreshRunning: somebody still does; the text names the process.
        StoreUnavailable: the lock's file can't be made.
    """
    lease = getattr(store, "lease", None)
    if lease is not None:
        with _leased(lease("refresh"), wait_s):
            yield
        return
    path = Path(address.partition(":")[2]) / NAME
    try:
        turn = FileLock(path)
    except OSError as error:
        raise StoreUnavailable(f"store: can't open {path}: {error.strerror}") from error
    try:
        if not turn.acquire(wait_s):
            raise RefreshRunning(
                f"refresh: {turn.read().decode().strip() or 'another process'} is refreshing this "
                "store; wait for it, since only one refresh at a time can work on a store"
            )
        turn.write(_note().encode().ljust(_NOTE_BYTES))
        yield
    finally:
        turn.close()


@contextmanager
def _leased(lease: Lease, wait_s: float) -> Iterator[None]:
    deadline = time.monotonic() + wait_s
    while not lease.take(_note()):
        if time.monotonic() >= deadline:
            raise RefreshRunning(
                f"refresh: {lease.holder() or 'another process'} is refreshing this store; wait "
                "for it, since only one refresh at a time can work on a store"
            )
        time.sleep(_ASK_EVERY_S)
    try:
        yield
    finally:
        lease.end()


def _note() -> str:
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return f"process {os.getpid()} on {socket.gethostname()}, since {now},"
