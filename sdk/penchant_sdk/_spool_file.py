"""A bounded file of events that could not be delivered: append-only, checksummed, of one process.

A header holds the place where the waiting rows begin; each row is a mark, its length, a CRC-32, and
its bytes. A row counts as kept once it is synced to disk. A tail that a crash tore is cut off when
the file is opened; damage in the middle costs the damaged rows alone, because the next row is found
by its mark. The header needs no sync: where it is lost, rows are delivered twice, with the same
event ids.
"""

from __future__ import annotations

import logging
import os
import stat
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock

from penchant_sdk._arguments import shown, whole
from penchant_sdk.client_tls import FilePath
from penchant_sdk.errors import InvalidRequest, SpoolRefused

log = logging.getLogger("penchant_sdk")

SPOOL_BYTES = 64 << 20
"""Default size limit of a spool, in bytes."""
LEAST_BYTES = 4_096
"""Smallest size limit."""

_MAGIC = b"PENSPOL1"
_HEADER = struct.Struct("<8sQI")
_MARK = b"\xf1EV\x9a"
_ROW = struct.Struct("<4sII")
_PIECE = 1 << 20
"""Bytes read at a time."""


class SpoolFile:
    """The file; thread-safe. Its lock keeps other clients out, forked children included."""

    def __init__(self, path: FilePath, most_bytes: int = SPOOL_BYTES) -> None:
        """Opens the file, or makes it, readable by its owner alone.

        Args:
            path: of the file, in a directory that exists.
            most_bytes: size limit of the file, 4,096 or more.

        Raises:
            InvalidRequest: the path can't be used, is no spool, or another client uses it.
        """
        if not isinstance(path, str | os.PathLike):
            raise InvalidRequest(f"spool: got {shown(path)}, expected a path")
        self.path = Path(path)
        self._most = whole("spool_bytes", most_bytes, least=LEAST_BYTES)
        self._lock = Lock()
        self._process = os.getpid()
        self._closed = False
        self._file = _opened(self.path)
        try:
            self._start, self._end = self._recovered()
        except BaseException:
            os.close(self._file)
            raise

    def append(self, rows: Sequence[bytes]) -> None:
        """Keeps rows, all of them or none; when it returns, they are on disk.

        Raises:
            SpoolRefused: they do not fit, or the disk does not take them.
            InvalidRequest: another process opened the file, and this one is its fork.
        """
        data = b"".join(_row(row) for row in rows)
        with self._lock:
            self._check()
            if self._end + len(data) > self._most and self._start - _HEADER.size >= self._most // 4:
                self._compact()
            if self._end + len(data) > self._most:
                raise SpoolRefused(
                    f"spool: got {len(data)} bytes of {len(rows)} events, expected at most "
                    f"{max(0, self._most - self._end)}: {self.path} holds {self._end} of its "
                    f"{self._most} bytes (spool_bytes)"
                )
            try:
                _write(self._file, data, self._end)
                os.fsync(self._file)
            except OSError as error:
                os.ftruncate(self._file, self._end)
                raise SpoolRefused(
                    f"spool: {self.path} took none of {len(rows)} events: {error.strerror}"
                ) from error
            self._end += len(data)

    def read(self, most_rows: int) -> tuple[list[bytes], int]:
        """The first waiting rows, about 1 MiB at most, and the place behind them.

        Args:
            most_rows: rows at most.
        """
        with self._lock:
            self._check()
            size = _PIECE
            while True:
                data = self._bytes(size)
                rows, behind = [], 0
                for row, stop in _rows(data):
                    rows.append(row)
                    behind = stop
                    if len(rows) == most_rows:
                        break
                if rows or self._start + len(data) >= self._end:
                    return rows, self._start + (behind if rows else len(data))
                size *= 2  # The first row is longer, or damaged.

    def advance(self, place: int) -> None:
        """Lets go of the rows before a place, which `read` returned."""
        with self._lock:
            self._check()
            self._start = place
            try:
                if self._start < self._end:
                    self._write_header()
                    return
                self._start = self._end = _HEADER.size
                self._write_header()
                os.ftruncate(self._file, self._end)
            except OSError as error:
                log.error("spool %s: [%s] its rows may come twice", self.path, error.strerror)

    @property
    def empty(self) -> bool:
        """Whether no row waits."""
        with self._lock:
            return self._start == self._end

    def waiting(self) -> Iterator[bytes]:
        """All rows that wait, as they were when it was asked."""
        with self._lock:
            self._check()
            data = self._bytes(self._most)
        for row, _ in _rows(data):
            yield row

    def close(self) -> None:
        """Closes the file, which keeps its rows."""
        with self._lock:
            if not self._closed and os.getpid() == self._process:
                os.close(self._file)
            self._closed = True

    def _bytes(self, most: int) -> bytes:
        """What waits, up to so many bytes."""
        try:
            return os.pread(self._file, min(most, self._end - self._start), self._start)
        except OSError as error:
            raise SpoolRefused(f"spool: {self.path} can't be read: {error.strerror}") from error

    def _check(self) -> None:
        if self._closed:
            raise SpoolRefused(f"spool: {self.path} is closed, expected an open client")
        if os.getpid() != self._process:
            raise InvalidRequest(
                f"spool: got {self.path}, which the process {self._process} opened before this one "
                "was forked from it; expected a client of this process, with a file of its own"
            )

    def _recovered(self) -> tuple[int, int]:
        """Where the waiting rows begin and end, after a look at the whole file."""
        size = os.fstat(self._file).st_size
        head = os.pread(self._file, _HEADER.size, 0)
        if not _MAGIC.startswith(head[: len(_MAGIC)]) or (
            size > len(head) and len(head) < _HEADER.size
        ):
            raise InvalidRequest(
                f"spool: got {self.path}, a file of something else, expected a new path or a spool"
            )
        self._start = self._end = _HEADER.size
        if size < _HEADER.size:
            self._write_header()
            os.ftruncate(self._file, _HEADER.size)
            os.fsync(self._file)
            return self._start, self._end
        _, start, crc = _HEADER.unpack(head)
        if crc != zlib.crc32(head[:-4]) or not _HEADER.size <= start <= size:
            start = _HEADER.size  # Rows may come twice; they are duplicates then.
        data = os.pread(self._file, size - start, start)
        end, damaged = 0, 0
        for row, stop in _rows(data):
            damaged += stop - end - _ROW.size - len(row)
            end = stop
        if damaged:
            log.error("spool %s: %d damaged bytes are left out", self.path, damaged)
        if end < len(data):
            log.warning("spool %s: a torn tail of %d bytes is cut off", self.path, len(data) - end)
            os.ftruncate(self._file, start + end)
            os.fsync(self._file)
        return start, start + end

    def _compact(self) -> None:
        """Writes the waiting rows to a new file, which takes this one's place."""
        beside = self.path.with_name(f"{self.path.name}.new")
        data = os.pread(self._file, self._end - self._start, self._start)
        try:
            beside.unlink(missing_ok=True)
            fresh = _opened(beside)
        except (OSError, InvalidRequest):
            return  # The rows stay where they are.
        try:
            _write(fresh, _header(_HEADER.size) + data, 0)
            os.fsync(fresh)
            beside.replace(self.path)
        except OSError:
            os.close(fresh)
            beside.unlink(missing_ok=True)
            return
        os.close(self._file)
        self._file = fresh
        self._start, self._end = _HEADER.size, _HEADER.size + len(data)
        _sync_directory(self.path.parent)

    def _write_header(self) -> None:
        os.pwrite(self._file, _header(self._start), 0)


def _header(start: int) -> bytes:
    head = _HEADER.pack(_MAGIC, start, 0)[:-4]
    return head + struct.pack("<I", zlib.crc32(head))


def _row(data: bytes) -> bytes:
    return _ROW.pack(_MARK, len(data), zlib.crc32(data)) + data


def _rows(data: bytes) -> Iterator[tuple[bytes, int]]:
    """The sound rows in a piece of a file, each with the place behind it."""
    at = data.find(_MARK)
    while 0 <= at <= len(data) - _ROW.size:
        _, length, crc = _ROW.unpack_from(data, at)
        begin = at + _ROW.size
        row = data[begin : begin + length]
        if len(row) == length and zlib.crc32(row) == crc:
            at = begin + length
            yield row, at
        else:
            at += 1
        at = data.find(_MARK, at)


def _write(file: int, data: bytes, place: int) -> None:
    left = memoryview(data)
    while left:
        written = os.pwrite(file, left, place)
        left, place = left[written:], place + written


def _opened(path: Path) -> int:
    """The descriptor of a locked file that its owner alone may read.

    Raises:
        InvalidRequest: the file can't be opened, or is locked already.
    """
    try:
        import fcntl
    except ImportError as error:
        raise InvalidRequest("spool: got one, expected none on a system without flock") from error
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
            except OSError:
                raise InvalidRequest(
                    f"spool: got {path}, which another client uses, expected one of this client's "
                    "own"
                ) from None
            now = path.stat() if path.exists() else None
            if now is not None and (now.st_dev, now.st_ino) == (state.st_dev, state.st_ino):
                if stat.S_IMODE(state.st_mode) & 0o077:
                    os.fchmod(file, 0o600)
                if not state.st_size:
                    _sync_directory(path.parent)
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


def _sync_directory(path: Path) -> None:
    """Makes the name of a new file last."""
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
