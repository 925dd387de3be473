"""An advisory lock on a file, which the kernel lets go of when its holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.0002, 0.005


class FileLock:
    """A lock on one file, across processes and containers of one kernel (`flock`).

    The file stays behind; only the lock on it means anything. Not for several threads at once.
    """

    def __init__(self, path: Path) -> None:
        """Opens the file, and creates it for this user alone; raises OSError."""
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def acquire(self, timeout_s: float, *, shared: bool = False) -> bool:
        """Takes the lock, alone or with other sharers; False if it is not free in time."""
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        deadline, pause_s = time.monotonic() + timeout_s, _FIRST_PAUSE_S
        while True:
            try:
                fcntl.flock(self._fd, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                return True

    def fileno(self) -> int:
        """The descriptor of the open file; a process that inherits it holds the lock, too."""
        return self._fd

    def release(self) -> None:
        """Lets others have the lock."""
        fcntl.flock(self._fd, fcntl.LOCK_UN)

    def was_replaced(self) -> bool:
        """Whether another file lies under the name of the one that is open here."""
        try:
            return not os.path.samestat(os.fstat(self._fd), self.path.stat())
        except OSError:
            return False

    def write(self, note: bytes, place: int = 0) -> None:
        """Writes a note to others at a place; what can't be written is left out."""
        with contextlib.suppress(OSError):
            os.pwrite(self._fd, note, place)

    def read(self, count: int = 4096, place: int = 0) -> bytes:
        """What is noted at a place."""
        return os.pread(self._fd, count, place)

    def close(self) -> None:
        """Closes the file, and with it lets go of the lock."""
        os.close(self._fd)
