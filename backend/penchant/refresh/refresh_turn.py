"""One refresh of a store at a time: a lock on a file beside it, which says who holds it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from penchant.domain.errors import ConfigError, StoreUnavailable
from penchant.system.file_lock import FileLock

NAME = "refresh.lock"

_NOTE_BYTES = 256


class RefreshRunning(ConfigError):
    """Another process is refreshing the store.

    Cause: a clock (`penchant serve`, `penchant refresh --every`) or a `penchant refresh` works on
    the same store; the message names the process.
    Remedy: wait for it; if it is stopped, let it go on or end it, which loses nothing.
    """


@contextmanager
def refresh_turn(address: str, wait_s: float) -> Iterator[None]:
    """Holds the turn to refresh a store during the body; the kernel frees it if this process dies.

    Args:
        address: of the store, `lmdb:DIRECTORY`.
        wait_s: seconds to wait for whoever refreshes it.

    Raises:
        RefreshRunning: somebody still does; the text names the process.
        StoreUnavailable: the lock's file can't be made.
    """
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
        now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        note = f"process {os.getpid()} on {socket.gethostname()}, since {now},"
        turn.write(note.encode().ljust(_NOTE_BYTES))
        yield
    finally:
        turn.close()
