"""Turns to write: a lock that can be waited for with a time limit, and that says who holds it.

LMDB's own lock for writers has no time limit: a process that is stopped in the midst of a
transaction (Ctrl-Z, a debugger, a frozen container) would block every other writer for as long.
Each writer therefore takes this lock first. The kernel frees it when its holder dies.

Who waits looks again every few milliseconds, and says so by a second lock. A writer that finds
somebody waiting lets them go first; else a job of many short transactions would keep a server out.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from penchant.domain.errors import StoreUnavailable
from penchant.system.file_lock import FileLock
from penchant.system.process_identity import process_stat

WAIT_S = 5.0
"""Seconds that a writer waits for its turn."""

KNOWN_STUCK_WAIT_S = 0.05
"""Seconds that it waits behind a transaction for which it has already waited in vain."""

COURTESY_S = 0.008
"""Seconds that a writer stands back for those who wait: longer than between two of their looks."""

NAME = "writer.lock"

_ANNOUNCE_S = 0.01
_SINCE = struct.Struct("<d")
_WHO_BYTES = 248
_NOTE_BYTES = _SINCE.size + _WHO_BYTES
_SIZE = struct.Struct("<QQ")
"""A file's inode and its size in bytes, noted behind the holder's note."""


class WriterLock:
    """The turn to write to the store of one directory; safe in threads."""

    def __init__(self, directory: Path) -> None:
        """Opens the lock's file, and creates it if missing; raises OSError."""
        self._path = directory / NAME
        self._turn = threading.Lock()
        self._file = FileLock(self._path)
        self._waiting = FileLock(directory / "waiting.lock")
        who = f"{os.getpid()}\n{socket.gethostname()}\n{_command()}".encode()
        self._who = who[:_WHO_BYTES].ljust(_WHO_BYTES, b"\0")
        self._stuck = b""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the turn during the body.

        Raises:
            StoreUnavailable: nobody let go of it within `WAIT_S`; the text names the holder.
        """
        if not self._turn.acquire(timeout=WAIT_S):
            raise StoreUnavailable(
                f"store: got no turn to write within {WAIT_S:g} s, because another thread of the "
                "server is writing; send the call again"
            )
        try:
            file = self._acquired()
            try:
                yield
            finally:
                file.release()
        finally:
            self._turn.release()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()
        self._waiting.close()

    def note_size(self, inode: int, size: int) -> None:
        """Notes the size of the data file, which the others' transactions compare theirs with."""
        self._file.write(_SIZE.pack(inode, size), _NOTE_BYTES)

    def noted_size(self, inode: int) -> int:
        """The size that was noted last for the data file of this inode; 0: none was."""
        note = self._file.read(_SIZE.size, _NOTE_BYTES)
        noted, size = _SIZE.unpack(note) if len(note) == _SIZE.size else (0, 0)
        return int(size) if noted == inode else 0

    def _acquired(self) -> FileLock:
        while True:
            file = self._file
            stuck = self._stuck and file.read(_NOTE_BYTES) == self._stuck
            if not self._take(file, KNOWN_STUCK_WAIT_S if stuck else WAIT_S):
                self._stuck = file.read(_NOTE_BYTES)
                raise StoreUnavailable(_refusal(self._stuck))
            self._stuck = b""
            if not file.was_replaced():
                file.write(_SINCE.pack(time.time()) + self._who)
                return file
            self._file = FileLock(self._path)  # The lock that others take now.
            file.close()

    def _take(self, file: FileLock, wait_s: float) -> bool:
        """Takes the lock in time, after those who wait already."""
        if self._waiting.acquire(0.0):
            self._waiting.release()
        else:
            time.sleep(COURTESY_S)
        if file.acquire(0.0):
            return True
        self._waiting.acquire(_ANNOUNCE_S, shared=True)
        try:
            return file.acquire(wait_s)
        finally:
            self._waiting.release()


def _command() -> str:
    """The command of this process without its options, which may hold paths."""
    words = [Path(sys.argv[0]).name if sys.argv else "", *sys.argv[1:2]]
    plain = [word for word in words if word and "/" not in word and not word.startswith("-")]
    return " ".join(plain) or "a program"


def _refusal(note: bytes) -> str:
    """The text for a turn that does not come, from the holder's note."""
    begun = f"store: got no turn to write within {WAIT_S:g} s; "
    try:
        since = datetime.fromtimestamp(_SINCE.unpack_from(note)[0], UTC)
        pid, host, command = note[_SINCE.size :].rstrip(b"\0").decode().split("\n")
    except (struct.error, ValueError, OSError, OverflowError):
        return begun + "another process is writing; `penchant doctor` helps to find it"
    what = " and is stopped" if host == socket.gethostname() and _is_stopped(pid) else ""
    return (
        f"{begun}process {pid} on {host} ({command}) has been writing since "
        f"{since:%Y-%m-%d %H:%M:%S} UTC{what}; let it go on (kill -CONT {pid}) or end it "
        f"(kill -KILL {pid}), which loses nothing that was acknowledged"
    )


def _is_stopped(pid: str) -> bool:
    stat = process_stat(int(pid)) if pid.isdecimal() else None
    return stat is not None and stat.state in ("T", "t")
