"""A log of who did what to a store's data, in which each row seals the one before it.

Rows are lines of JSON in `audit-NNNNNN.jsonl`, in the directory `audit` beside the store. The hash
of a row is SHA-256 of the line without its hash; the line holds the hash of the row before, so that
nothing can be changed, dropped or put in between without every later row telling. Files are only
appended to, by one process at a time, and synced before the work begins.

A killed process can leave the beginning of a line. The next row takes its place, and says so.
`penchant.system.audit_check` tells such an end from an altered file.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from penchant.domain.errors import StoreUnavailable
from penchant.system.durable_file import sync_directory
from penchant.system.file_lock import FileLock
from penchant.system.os_error_reason import reason_of

log = logging.getLogger("penchant")

AUDIT = "audit"
"""The log's directory, beside the store."""

LOCAL = "local"
"""The actor where callers have no identity: whoever reaches the server, or runs the command."""

FIRST = "0" * 64
"""The previous hash of the first row."""

FILE_BYTES = 64 << 20
"""Size from which the next row begins another file."""

_TURN_S = 5.0
_TAIL_BYTES = 1 << 16
"""More than the longest line."""
_TEXT_BYTES = 512


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One row."""

    seq: int
    """From 1 on, without gaps."""
    at_us: int
    """When, by the machine's clock, in microseconds since 1970."""
    actor: str
    """Who: the caller's identity, or `local`."""
    verb: str
    """What: the name of a method or a command."""
    subject: str
    """Digest of whom or what it was done to; empty: the whole store."""
    note: str
    """More about it, nothing personal."""
    prev: str
    """Hash of the row before."""

    def line(self) -> bytes:
        """The row as it stands in the file, with its hash."""
        fields = _compact({name: getattr(self, name) for name in self.__slots__})
        return f'{fields[:-1]},"hash":"{self.hash}"}}\n'.encode()

    @property
    def hash(self) -> str:
        """The seal of the row and of all rows before it."""
        fields = _compact({name: getattr(self, name) for name in self.__slots__})
        return hashlib.sha256(fields.encode()).hexdigest()


def parse_line(line: bytes) -> AuditRow | None:
    """The row of a whole line; None unless it is, byte for byte, as `AuditRow.line` writes it."""
    try:
        fields = json.loads(line)
        fields.pop("hash")
        row = AuditRow(**fields)
        return row if row.line() == line else None
    except (ValueError, TypeError, AttributeError, KeyError):
        return None


def digest_of(parts: Iterable[str]) -> str:
    """The digest by which rows name what is not a user: a list of items, a release, a setting."""
    text = json.dumps(list(parts)).encode()
    return hashlib.sha256(text).hexdigest()[:32]


def audit_files(directory: Path) -> list[Path]:
    """The files of a log, oldest first."""
    return sorted(directory.glob("audit-*.jsonl"))


class AuditLog:
    """Appends to the log in a directory; many processes may hold one each. Safe in threads."""

    def __init__(self, directory: Path | None) -> None:
        """Opens nothing yet; None, for a store in memory: nothing is written."""
        self._directory = directory

    def note(self, verb: str, subject: str = "", note: str = "", actor: str = LOCAL) -> None:
        """As `add`, for what must not wait for a disk: to forget, to back up, to go back.

        Where the row can't be written, the process's own log says so.
        """
        try:
            self.add(verb, subject, note, actor)
        except StoreUnavailable as error:
            log.error("%s is done without a row of the audit log: %s", verb, error)

    def add(self, verb: str, subject: str = "", note: str = "", actor: str = LOCAL) -> None:
        """Appends a row, synced when this returns. Cost: one sync of a small file.

        Args:
            verb: what is about to be done.
            subject: digest of whom or what it is done to.
            note: more about it, nothing personal.
            actor: who does it.

        Raises:
            StoreUnavailable: the log can't be written; nothing should be done then.
        """
        if self._directory is None:
            return
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = FileLock(self._directory / "audit.lock")
            try:
                if not lock.acquire(_TURN_S):
                    raise StoreUnavailable(
                        f"audit: another process has been writing the log for {_TURN_S:g} s; if it "
                        "is stopped, let it go on or end it"
                    )
                self._append(verb, subject, note, actor)
            finally:
                lock.close()
        except OSError as error:
            raise StoreUnavailable(
                f"audit: the log can't be written: {reason_of(error)}; free space, or correct the "
                "permissions of the directory `audit` beside the store"
            ) from error

    def _append(self, verb: str, subject: str, note: str, actor: str) -> None:
        assert self._directory is not None
        files = audit_files(self._directory)
        path = files[-1] if files else self._directory / "audit-000001.jsonl"
        last, torn = (None, 0) if not files else _last_row(path)
        if last is None and len(files) > 1:
            last = _last_row(files[-2])[0]
        seq, prev = (last.seq + 1, last.hash) if last else (1, FIRST)
        now_us = time.time_ns() // 1000
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_APPEND, 0o600)
        try:
            size = os.fstat(fd).st_size
            rows = []
            if torn:
                os.ftruncate(fd, size - torn)
                mended = AuditRow(seq, now_us, LOCAL, "mend", "", f"{torn} bytes of a row", prev)
                rows.append(mended)
                seq, prev = seq + 1, mended.hash
            short = slice(_TEXT_BYTES)
            rows.append(
                AuditRow(seq, now_us, actor[short], verb, subject[short], note[short], prev)
            )
            _write(fd, b"".join(row.line() for row in rows))
        finally:
            os.close(fd)
        if not size:
            sync_directory(self._directory)
        if size > FILE_BYTES:
            number = len(files) + 1
            (self._directory / f"audit-{number:06d}.jsonl").touch(mode=0o600)


def _write(fd: int, lines: bytes) -> None:
    """Appends and syncs; a line that does not fit the disk is taken back."""
    size = os.fstat(fd).st_size
    try:
        written = 0
        while written < len(lines):
            written += os.write(fd, lines[written:])
        os.fsync(fd)
    except OSError:
        os.ftruncate(fd, size)
        raise


def _last_row(path: Path) -> tuple[AuditRow | None, int]:
    """The last whole row of a file, and the bytes of a torn one behind it."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        *lines, torn = file.read().split(b"\n")
    if not lines:
        return None, len(torn)
    row = parse_line(lines[-1] + b"\n")
    if row is None:
        raise StoreUnavailable(
            "audit: the end of the log was altered; run `penchant audit verify`, put the files "
            "aside as evidence, and the log begins anew"
        )
    return row, len(torn)


def _compact(fields: dict[str, object]) -> str:
    return json.dumps(fields, separators=(",", ":"))
