"""A file that one process has open and locked, read and written by place."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from penchant_sdk.errors import InvalidRequest

try:
    import fcntl
except ImportError:  # A system without such locks.
    fcntl = None  # type: ignore[assignment]

_READ_BYTES = 64 << 20


def read_part(file: int, start: int, stop: int) -> bytes:
    """The bytes of a part of a file, fewer only where it ends before.

    Raises:
        OSError: they can't be read.
    """
    parts = []
    while start < stop:
        # One call of the system gives 2 GiB at most.
        part = os.pread(file, min(stop - start, _READ_BYTES), start)
        if not part:
            break
        parts.append(part)
        start += len(part)
    return b"".join(parts)


def write_part(file: int, data: bytes, place: int) -> None:
    """Writes bytes at a place of a file.

    Raises:
        OSError: the disk does not take them all.
    """
    left = memoryview(data)
    while left:
        written = os.pwrite(file, left, place)
        left, place = left[written:], place + written


def open_locked(path: Path) -> int:
    """The descriptor of a locked file that its owner alone may read.

    Raises:
        InvalidRequest: the file can't be opened, or is locked already.
    """
    if fcntl is None:
        raise InvalidRequest("spool: got one, expected none on a system without flock")
    for _ in range(100):
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            file = os.open(path, flags, 0o600)
        except OSError as error:
            raise InvalidRequest(
                f"spool: got {path}, expected a file, in a directory that exists, that this "
                f"process may write ({error.strerror})"
            ) from None
        try:
            state = os.fstat(file)
            if not stat.S_ISREG(state.st_mode):
                raise InvalidRequest(f"spool: got {path}, expected a regular file")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InvalidRequest(
                    f"spool: got {path}, which another client uses, expected one of this client's "
                    "own"
                ) from None
            except OSError as error:
                raise InvalidRequest(
                    f"spool: got {path}, expected a file on a disk with locks ({error.strerror})"
                ) from None
            if is_at(file, path):
                if stat.S_IMODE(state.st_mode) & 0o077:
                    os.fchmod(file, 0o600)
                if not state.st_size:
                    sync_directory(path.parent)
                return file
        except BaseException as error:
            os.close(file)
            if isinstance(error, OSError):
                raise InvalidRequest(
                    f"spool: got {path}, expected a file that this process owns ({error.strerror})"
                ) from None
            raise
        os.close(file)  # Its other client has just replaced it.
    raise InvalidRequest(f"spool: got {path}, which another client uses, expected one of its own")


def unlock(file: int) -> None:
    """Lets others lock a file, whoever has inherited its descriptor."""
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_UN)


def is_at(file: int, path: Path) -> bool:
    """Whether a path leads to an open file.

    Raises:
        OSError: this process may not know.
    """
    try:
        there = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    here = os.fstat(file)
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def sync_directory(path: Path) -> None:
    """Makes the names in a directory last.

    Raises:
        OSError: the disk fails.
    """
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
