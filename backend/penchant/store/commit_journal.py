"""The journal of an embedded store: what each transaction wrote, synced before LMDB commits it.

A commit of LMDB that is synced writes every page that changed, scattered over the file, and waits
for the disk twice. The journal takes one append and one wait; the pages of the data file follow in
the background (`store.lmdb_checkpoints`), and after a power cut the journal is read
(`store.lmdb_recovery`).

    journal.head   two slots of checkpoints (which state of the data file is on the disk for sure),
                   and the note by which the writers of one machine find the end of the journal
    journal.0, .1  segments: the entries of a generation lie in the file of its parity

An entry begins at a multiple of 4 KiB, so that no later write touches a block of an acknowledged
one. Its header has the store's salt, which nobody can guess, the generation and the place in it, so
that what an older generation has left is never taken for an entry. Of two entries with one number
of a transaction, the first was never committed: its writer died, or LMDB refused.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from penchant.domain.errors import StateCorrupt
from penchant.system.durable_file import sync_directory
from penchant.system.file_lock import FileLock

Write = tuple[bytes, bytes | None]
"""A key and its value; None: the key was deleted."""

HEAD, SEGMENTS = "journal.head", ("journal.0", "journal.1")

KEPT_BYTES = 8 << 20
"""A segment that was longer is cut to this when its file is used again."""

_BLOCK = 4096
_MAGIC = b"PENJRNL1"
_SLOT = struct.Struct("<8s8sQQI136s")
_NOTE = struct.Struct("<QQQ?")
_ENTRY = struct.Struct("<8sQQQQ")
_CRC = struct.Struct("<I")
_WRITE = struct.Struct("<II")
_DELETED = 0xFFFFFFFF
_DAMAGED = "restore a backup"


class Checkpoint(NamedTuple):
    """A state of the data file that is on the disk for sure."""

    generation: int
    """Of the first segment that may have entries behind it."""
    transaction: int
    """LMDB's number of the last transaction in it."""
    roots: int
    """CRC-32 of the root pages of its trees, which tells the file from another one."""
    meta: bytes
    """The body of its meta page."""


class JournalNote(NamedTuple):
    """Where the next entry goes; lost in a power cut, when nobody needs it."""

    generation: int = 0
    """0: nobody has written since the first process opened the store."""
    offset: int = 0
    place: int = 0
    """Entries before it in this generation."""
    failed: bool = False
    """Whether the disk refused to take pages of the data file, which may be lost."""


class JournalEntry(NamedTuple):
    """What one transaction wrote."""

    transaction: int
    writes: list[Write]


class CommitJournal:
    """The open journal of a store; except for `enter`, its caller has the turn to write.

    Not for several threads at once.
    """

    def __init__(self, directory: Path) -> None:
        """Opens the journal, and creates it if missing; raises OSError."""
        self._directory = directory
        path = directory / HEAD
        new = not path.exists()
        self._head = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._segments: dict[int, int] = {}
        self._known_salt = b""
        try:
            self.checkpoint_lock = FileLock(directory / "checkpoint.lock")
            if os.fstat(self._head).st_size < 3 * _BLOCK:
                # All its blocks now: on a disk that has filled up, a checkpoint can be written.
                os.pwrite(self._head, bytes(3 * _BLOCK), 0)
                os.fsync(self._head)
            if new:
                sync_directory(directory)
        except BaseException:
            os.close(self._head)
            raise

    def enter(self) -> bool:
        """Whether no other process has the store open; `stay` or `leave` must follow."""
        try:
            fcntl.flock(self._head, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def stay(self) -> None:
        """Says to later processes, until `close` or death, that this one has the store open."""
        fcntl.flock(self._head, fcntl.LOCK_SH)

    def leave(self) -> None:
        """Says that this process does not have the store open after all."""
        fcntl.flock(self._head, fcntl.LOCK_UN)

    def close(self) -> None:
        """Closes all files."""
        self.checkpoint_lock.close()
        for fd in (self._head, *self._segments.values()):
            os.close(fd)

    def checkpoint(self) -> Checkpoint | None:
        """The last checkpoint; None: there was none yet.

        Raises:
            StateCorrupt: a slot is damaged. Each fits into one sector, so no power cut does that.
        """
        found = [one for one in (self._slot(0), self._slot(1)) if one is not None]
        return max(found, default=None)

    def write_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Writes a checkpoint to the disk; the one before stays until then. Raises OSError."""
        body = _SLOT.pack(_MAGIC, self._salt(), *checkpoint)
        first = self._slot(0)
        index = 0 if first is None else 1 if first == self.checkpoint() else 0
        os.pwrite(self._head, body + _CRC.pack(zlib.crc32(body)), index * _BLOCK)
        os.fdatasync(self._head)

    def note(self) -> JournalNote:
        """Where the next entry goes."""
        found = os.pread(self._head, _NOTE.size, 2 * _BLOCK)
        return JournalNote(*_NOTE.unpack(found))

    def write_note(self, note: JournalNote) -> None:
        """Says to the writers of all processes where the next entry goes; raises OSError."""
        os.pwrite(self._head, _NOTE.pack(*note), 2 * _BLOCK)

    def append(self, note: JournalNote, transaction: int, writes: Sequence[Write]) -> JournalNote:
        """Writes an entry to the disk, and returns where the next one goes.

        Raises:
            OSError: the disk did not take it; the note holds as before.
        """
        payload = _encode(writes)
        header = _ENTRY.pack(self._salt(), note.generation, note.place, transaction, len(payload))
        checksum = _CRC.pack(zlib.crc32(payload, zlib.crc32(header)))
        padding = bytes(-(len(header) + len(checksum) + len(payload)) % _BLOCK)
        entry = b"".join((header, checksum, payload, padding))
        fd = self._segment(note.generation)
        _write_all(fd, entry, note.offset)
        os.fdatasync(fd)
        return note._replace(offset=note.offset + len(entry), place=note.place + 1)

    def missing(self, note: JournalNote) -> str:
        """The name of a file that no longer lies where a restart would read it; empty: none."""
        index = note.generation & 1
        files = {HEAD: self._head}
        if index in self._segments:  # Else it is opened, or missed, at the next entry.
            files[SEGMENTS[index]] = self._segments[index]
        for name, fd in files.items():
            try:
                if not os.path.samestat(os.fstat(fd), (self._directory / name).stat()):
                    return name
            except OSError:
                return name
        return ""

    def begin_generation(self, generation: int) -> None:
        """Makes a segment's file ready for the entries of a generation; raises OSError."""
        fd = self._segment(generation, create=True)
        self._segment(generation + 1, create=True)  # Now, while the disk has room for a file.
        if os.fstat(fd).st_size > KEPT_BYTES:
            os.ftruncate(fd, KEPT_BYTES)

    def empty(self) -> None:
        """Cuts both segments to nothing: a checkpoint holds all, and no other one is being made.

        What they held of users who were forgotten goes with it. Raises OSError.
        """
        for generation in (0, 1):
            with contextlib.suppress(FileNotFoundError):
                os.ftruncate(self._segment(generation), 0)

    def entries_after(self, checkpoint: Checkpoint) -> list[JournalEntry]:
        """What transactions behind a checkpoint wrote, without those that were never committed.

        Raises:
            StateCorrupt: an entry is damaged or missing, or its file is.
        """
        name = SEGMENTS[checkpoint.generation & 1]
        if not (self._directory / name).exists():
            raise StateCorrupt(
                f"store: got no {name}, which may hold acknowledged transactions; put it back, or "
                f"{_DAMAGED}"
            )
        found: dict[int, JournalEntry] = {}
        for generation in (checkpoint.generation, checkpoint.generation + 1):
            for entry in self._scan(generation):
                found[entry.transaction] = entry
        after = [found[number] for number in sorted(found) if number > checkpoint.transaction]
        for expected, entry in enumerate(after, checkpoint.transaction + 1):
            if entry.transaction != expected:
                raise StateCorrupt(
                    f"store: the journal lacks transaction {expected}, before "
                    f"{entry.transaction}; {_DAMAGED}"
                )
        return after

    def _salt(self) -> bytes:
        """The store's salt: made at the first checkpoint, with which it is written."""
        for index in (0, 1):
            if not self._known_salt:
                found = os.pread(self._head, 16, index * _BLOCK)
                self._known_salt = found[8:] if found[:8] == _MAGIC else b""
        return self._known_salt or secrets.token_bytes(8)

    def _slot(self, index: int) -> Checkpoint | None:
        found = os.pread(self._head, _SLOT.size + _CRC.size, index * _BLOCK)
        if not any(found):
            return None
        magic, _, *fields = _SLOT.unpack_from(found)
        (checksum,) = _CRC.unpack_from(found, _SLOT.size)
        if magic != _MAGIC or zlib.crc32(found[: _SLOT.size]) != checksum:
            raise StateCorrupt(f"store: {HEAD} is damaged; {_DAMAGED}")
        return Checkpoint(*fields)

    def _segment(self, generation: int, *, create: bool = False) -> int:
        index = generation & 1
        if index not in self._segments:
            path = self._directory / SEGMENTS[index]
            new = create and not path.exists()
            flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0)
            self._segments[index] = os.open(path, flags, 0o600)
            if new:
                sync_directory(self._directory)
        return self._segments[index]

    def _scan(self, generation: int) -> Iterator[JournalEntry]:
        """The entries of a generation.

        Raises:
            StateCorrupt: behind one that is damaged lies one that is whole. A power cut can only
                damage the last, since each is on the disk before the next one is written.
        """
        with contextlib.suppress(FileNotFoundError):
            content = (self._directory / SEGMENTS[generation & 1]).read_bytes()
            salt = self._salt()
            offset = place = 0
            while (found := _entry_at(content, offset, (salt, generation, place))) is not None:
                entry, end = found
                yield entry
                offset, place = -(-end // _BLOCK) * _BLOCK, place + 1
            for later in range(offset, len(content), _BLOCK):
                begun = content[later : later + _ENTRY.size]
                if len(begun) == _ENTRY.size and begun[:16] == salt + generation.to_bytes(
                    8, "little"
                ):
                    number = _ENTRY.unpack(begun)[2]
                    if (
                        number >= place
                        and later > offset
                        and _entry_at(content, later, (salt, generation, number))
                    ):
                        raise StateCorrupt(
                            f"store: entry {place} of the journal is damaged, and entry {number} "
                            f"behind it is not; {_DAMAGED}"
                        )


def _write_all(fd: int, content: bytes, offset: int) -> None:
    view = memoryview(content)
    while view:
        count = os.pwrite(fd, view, offset)
        view, offset = view[count:], offset + count


def _encode(writes: Iterable[Write]) -> bytes:
    parts = []
    for key, value in writes:
        parts.append(_WRITE.pack(len(key), _DELETED if value is None else len(value)))
        parts.append(key)
        if value is not None:
            parts.append(value)
    return b"".join(parts)


def _entry_at(
    content: bytes, offset: int, expected: tuple[bytes, int, int]
) -> tuple[JournalEntry, int] | None:
    """The entry at an offset, and where it ends; None if none lies there whole."""
    start = offset + _ENTRY.size + _CRC.size
    if start > len(content):
        return None
    *begun, transaction, length = _ENTRY.unpack_from(content, offset)
    end = start + length
    if tuple(begun) != expected or end > len(content):
        return None
    (checksum,) = _CRC.unpack_from(content, start - _CRC.size)
    payload = content[start:end]
    if zlib.crc32(payload, zlib.crc32(content[offset : offset + _ENTRY.size])) != checksum:
        return None
    return JournalEntry(transaction, list(_decode(payload))), end


def _decode(payload: bytes) -> Iterator[Write]:
    place = 0
    while place < len(payload):
        key_bytes, value_bytes = _WRITE.unpack_from(payload, place)
        place += _WRITE.size
        key = payload[place : place + key_bytes]
        place += key_bytes
        if value_bytes == _DELETED:
            yield key, None
        else:
            yield key, payload[place : place + value_bytes]
            place += value_bytes
