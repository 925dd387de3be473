"""A bounded file of events that could not be delivered: append-only, checksummed, of one process.

A header holds the place where the waiting rows begin; each row is a mark, its length, a CRC-32, and
its bytes. A row counts as kept once it is synced to disk. A tail that a crash tore is cut off when
the file is opened; damage in the middle costs the damaged rows alone, because the next row is found
by its mark. The header needs no sync: where it is lost, rows are delivered twice, with the same
event ids.

A file that is full of delivered rows is written anew, without them, beside itself, and renamed.
That moves every row, so that callers are given places that count all bytes of the client's life.
"""

from __future__ import annotations

import logging
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock

from penchant_sdk._arguments import shown, whole
from penchant_sdk._locked_file import (
    is_at,
    open_locked,
    read_part,
    sync_directory,
    unlock,
    write_part,
)
from penchant_sdk.client_tls import FilePath
from penchant_sdk.errors import InvalidRequest, SpoolRefused

log = logging.getLogger("penchant_sdk")

SPOOL_BYTES = 64 << 20
"""Default size limit of a spool, in bytes."""
LEAST_BYTES = 4_096
"""Smallest size limit."""

_MAGIC = b"PENSPOL1"
_MAGIC_OF_ALL = _MAGIC[:-1]
"""What the files of all versions begin with."""
_FRESH = ".compacting"
"""Ends the name of the file that takes a spool's place. Only a spool's own client touches it."""
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
        self.path = _absolute(path)
        self._most = whole("spool_bytes", most_bytes, least=LEAST_BYTES)
        self._lock = Lock()
        self._process = os.getpid()
        self._closed = False
        self._named = True
        """Whether the file's name is synced to disk."""
        self._gone = 0
        """Bytes that lay before the file's first one: a place, less this, is an offset."""
        self._file = open_locked(self.path)
        try:
            self._start, self._end = self._recovered()
        except OSError as error:
            self.close()
            raise InvalidRequest(
                f"spool: got {self.path}, expected a file that can be read and written "
                f"({error.strerror})"
            ) from error
        except BaseException:
            self.close()
            raise

    def append(self, rows: Sequence[bytes]) -> None:
        """Keeps rows, all of them or none; when it returns, they are on disk.

        Raises:
            SpoolRefused: they do not fit, the disk does not take them, or the file was replaced.
            InvalidRequest: another process opened the file, and this one is its fork.
        """
        data = b"".join(_row(row) for row in rows)
        with self._lock:
            self._check()
            self._check_name()
            if self._end + len(data) > self._most and self._start - _HEADER.size >= self._most // 4:
                self._compact()
            if self._end + len(data) > self._most:
                raise SpoolRefused(
                    f"spool: got {len(data)} bytes of {len(rows)} events, expected at most "
                    f"{max(0, self._most - self._end)}: {self.path} holds {self._end} of its "
                    f"{self._most} bytes (spool_bytes)"
                )
            try:
                self._check_size()
                write_part(self._file, data, self._end)
                os.fsync(self._file)
                if not self._named:
                    sync_directory(self.path.parent)
                    self._named = True
            except OSError as error:
                with suppress(OSError):
                    os.ftruncate(self._file, self._end)
                raise SpoolRefused(
                    f"spool: {self.path} took none of {len(rows)} events: {error.strerror}"
                ) from error
            self._end += len(data)

    def read(self, most_rows: int) -> tuple[list[bytes], int]:
        """The first waiting rows, about 1 MiB at most, and the place behind them.

        The place stays right whatever is appended or compacted until it is given to `advance`.

        Args:
            most_rows: rows at most.

        Raises:
            SpoolRefused: the disk does not give them.
            InvalidRequest: another process opened the file, and this one is its fork.
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
                if rows:
                    return rows, self._gone + self._start + behind
                if len(data) < size:
                    return [], self._gone + self._end
                size *= 2  # The first row is longer, or damaged.

    def advance(self, place: int) -> None:
        """Lets go of the rows before a place, which `read` returned.

        Raises:
            SpoolRefused: the client is closed.
            InvalidRequest: another process opened the file, and this one is its fork.
        """
        with self._lock:
            self._check()
            start = min(place - self._gone, self._end)
            if start <= self._start:
                return  # They are gone already.
            self._start = start
            try:
                if self._start < self._end:
                    self._write_header(self._start)
                    return
                # Until both are done, later rows go behind these: a header that points behind its
                # place would hide them.
                self._write_header(_HEADER.size)
                os.ftruncate(self._file, _HEADER.size)
            except OSError as error:
                log.error("spool %s: [%s] its rows may come twice", self.path, error.strerror)
                return
            self._gone += self._end - _HEADER.size
            self._start = self._end = _HEADER.size

    @property
    def empty(self) -> bool:
        """Whether no row waits."""
        with self._lock:
            return self._start == self._end

    def waiting(self) -> Iterator[bytes]:
        """All rows that wait, as they were when it was asked."""
        with self._lock:
            self._check()
            data = self._bytes(self._end - self._start)
        for row, _ in _rows(data):
            yield row

    def close(self) -> None:
        """Closes the file, which keeps its rows."""
        with self._lock:
            if not self._closed and os.getpid() == self._process:
                unlock(self._file)  # A forked child may have the file open for longer.
                os.close(self._file)
            self._closed = True

    def _bytes(self, most: int) -> bytes:
        """What waits, up to so many bytes."""
        try:
            return read_part(self._file, self._start, min(self._start + most, self._end))
        except OSError as error:
            raise SpoolRefused(f"spool: {self.path} can't be read: {error.strerror}") from error

    def __del__(self) -> None:
        # A client that was never closed must not keep others out for the process's life.
        if getattr(self, "_file", None) is not None:
            self.close()

    def _check(self) -> None:
        if self._closed:
            raise SpoolRefused(f"spool: {self.path} is closed, expected an open client")
        if os.getpid() != self._process:
            raise InvalidRequest(
                f"spool: got {self.path}, which the process {self._process} opened before this one "
                "was forked from it; expected a client of this process, with a file of its own"
            )

    def _check_name(self) -> None:
        """Whether the file is still the one that its name leads to, as the next client needs it.

        Raises:
            SpoolRefused: another file has that name.
        """
        try:
            if is_at(self._file, self.path):
                return
            if not os.path.lexists(self.path):
                self._compact()  # Somebody removed it; it comes back with all that waits.
            found = is_at(self._file, self.path)
        except OSError:
            return  # A process that has given up its rights can still write what it has open.
        if not found:
            raise SpoolRefused(
                f"spool: {self.path} was removed or replaced while this client used it; put it "
                "back, or make a new client"
            )

    def _check_size(self) -> None:
        """Sees to it that the file ends where the next row goes.

        Raises:
            OSError: it can't be mended.
        """
        size = os.fstat(self._file).st_size
        if size > self._end:  # A refused append, of which the disk let nothing be cut off.
            os.ftruncate(self._file, self._end)
        elif size < self._end:
            log.error(
                "spool %s: somebody else cut off its last %d bytes", self.path, self._end - size
            )
            self._write_header(self._start)

    def _recovered(self) -> tuple[int, int]:
        """Where the waiting rows begin and end, after a look at the whole file.

        Raises:
            InvalidRequest: it is no spool, or one of another version.
            OSError: it can't be read or written.
        """
        self._fresh_path.unlink(missing_ok=True)  # Of a compaction that a crash cut off.
        size = os.fstat(self._file).st_size
        head = os.pread(self._file, _HEADER.size, 0)
        if not _MAGIC.startswith(head[: len(_MAGIC)]):
            raise InvalidRequest(
                f"spool: got {self.path}, a spool of another version, expected a new path; the "
                "events in it are delivered by a client of that version"
                if head.startswith(_MAGIC_OF_ALL)
                else f"spool: got {self.path}, a file of something else, expected a new path or a "
                "spool"
            )
        if size < _HEADER.size:
            self._write_header(_HEADER.size)
            os.ftruncate(self._file, _HEADER.size)
            os.fsync(self._file)
            return _HEADER.size, _HEADER.size
        _, start, crc = _HEADER.unpack(head)
        if crc != zlib.crc32(head[:-4]) or not _HEADER.size <= start <= size:
            start = _HEADER.size  # Rows may come twice; they are duplicates then.
        data = read_part(self._file, start, size)
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
        """Writes the waiting rows to a new file, which takes this one's place.

        Where the disk does not let it, the rows stay where they are.
        """
        beside = self._fresh_path
        try:
            data = read_part(self._file, self._start, self._end)
            beside.unlink(missing_ok=True)
            fresh = open_locked(beside)
        except (OSError, InvalidRequest) as error:
            log.warning("spool %s: can't be compacted: %s", self.path, error)
            return
        try:
            write_part(fresh, _header(_HEADER.size) + data, 0)
            os.fsync(fresh)
            beside.replace(self.path)
        except BaseException as error:
            os.close(fresh)
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            if not isinstance(error, OSError):  # Ctrl-C, in an application that goes on.
                raise
            log.warning("spool %s: can't be compacted: %s", self.path, error)
            return
        os.close(self._file)
        self._file, self._named = fresh, False
        # By the end, in case somebody has cut the file: no later row may lie before a place that
        # was read already.
        self._gone += self._end - _HEADER.size - len(data)
        self._start, self._end = _HEADER.size, _HEADER.size + len(data)

    @property
    def _fresh_path(self) -> Path:
        return self.path.with_name(self.path.name + _FRESH)

    def _write_header(self, start: int) -> None:
        write_part(self._file, _header(start), 0)


def _absolute(path: FilePath) -> Path:
    """The path, wherever this process goes later.

    Raises:
        InvalidRequest: it is none, or belongs to another spool.
    """
    if not isinstance(path, str | os.PathLike):
        raise InvalidRequest(f"spool: got {shown(path)}, expected a path")
    try:
        found = Path(path).absolute()
        os.fsencode(found)
    except (TypeError, ValueError, OSError) as error:  # Bytes; odd characters; no directory here.
        raise InvalidRequest(f"spool: got {shown(path)}, expected a path ({error})") from None
    if "\0" in str(found):
        raise InvalidRequest(f"spool: got {shown(path)}, expected a path without zeros")
    if found.name.endswith(_FRESH):
        raise InvalidRequest(
            f"spool: got {found}, expected a name that does not end with {_FRESH}, which another "
            "spool's client may overwrite"
        )
    return found


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
