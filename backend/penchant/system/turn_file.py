"""A job that one process at a time may do: a lock on a file, which says who does it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from penchant.domain.errors import StoreUnavailable
from penchant.system.file_lock import FileLock

_NOTE_BYTES = 256


class TurnTaken(Exception):  # Never leaves the jobs, which raise errors of their own.
    """Another process has the turn; the text names it."""


@contextmanager
def turn_file(path: Path, wait_s: float) -> Iterator[None]:
    """Holds a turn during the body; the kernel frees it if this process dies.

    Args:
        path: the file; its folder must be there.
        wait_s: seconds to wait for whoever has the turn.

    Raises:
        TurnTaken: somebody still has it.
        StoreUnavailable: the file can't be made.
    """
    try:
        turn = FileLock(path)
    except OSError as error:
        raise StoreUnavailable(f"store: can't open {path}: {error.strerror}") from error
    try:
        if not turn.acquire(wait_s):
            raise TurnTaken(turn.read().decode().strip() or "another process")
        now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        note = f"process {os.getpid()} on {socket.gethostname()}, since {now},"
        turn.write(note.encode().ljust(_NOTE_BYTES))
        yield
    finally:
        turn.close()
