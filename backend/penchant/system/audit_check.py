"""Verifies an audit log: no row is altered, missing or added; a torn end is no fault."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from penchant.system.audit_log import FIRST, AuditRow, audit_files, parse_line


@dataclass(slots=True)
class AuditCheck:
    """What a verification found."""

    rows: int = 0
    last: AuditRow | None = None
    """The last row that can be trusted."""
    torn_bytes: int = 0
    """Bytes of a row that a killed process began at the end."""
    faults: list[str] = field(default_factory=list)
    """Why the log can't be trusted from some row on; empty: it can."""

    @property
    def head(self) -> str:
        """What stands for the whole log: keep it elsewhere, and ask for it later."""
        return f"{self.last.seq}:{self.last.hash}" if self.last else f"0:{FIRST}"


def verify_audit_log(directory: Path, since: str = "") -> AuditCheck:
    """Reads a whole log and checks every seal.

    Args:
        directory: of the log.
        since: a head noted earlier, `SEQ:HASH`, which the log must still hold. Without one, rows
            that were cut off the end, or a log that was written anew, can't be noticed.
    """
    check = AuditCheck()
    prev, noted, found = FIRST, since.strip(), not since.strip() or since.startswith("0:")
    files = audit_files(directory)
    for path in files:
        for number, line in enumerate(_lines(path), start=1):
            place = f"{path.name}, line {number}"
            row = parse_line(line)
            if row is None:
                if path == files[-1] and _is_torn(line, check.rows + 1):
                    check.torn_bytes = len(line)
                else:
                    check.faults.append(f"{place}: the row was altered")
                break
            if row.seq != check.rows + 1:
                check.faults.append(f"{place}: got row {row.seq}, expected row {check.rows + 1}")
                break
            if row.prev != prev:
                check.faults.append(f"{place}: the row before it was altered")
                break
            check.rows, check.last, prev = check.rows + 1, row, row.hash
            found = found or noted == check.head
        if check.faults:
            break
    if not found and not check.faults:
        check.faults.append(f"the row noted as {noted[:16]}... is gone: rows were cut or rewritten")
    return check


def read_audit_log(directory: Path) -> Iterator[AuditRow]:
    """The rows that can be read, oldest first."""
    for path in audit_files(directory):
        for line in _lines(path):
            row = parse_line(line)
            if row is not None:
                yield row


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of a file with their ends; the last one may have none."""
    *lines, torn = path.read_bytes().split(b"\n")
    for line in lines:
        yield line + b"\n"
    if torn:
        yield torn


def _is_torn(line: bytes, seq: int) -> bool:
    """Whether bytes at the end are the beginning of the next row, and no whole row altered."""
    if line.endswith(b"\n"):
        return False
    if parse_line(line[:-1] + b"\n") is not None:
        return False  # A whole line, whose end was altered.
    begins = f'{{"seq":{seq},"at_us":'.encode()
    return begins.startswith(line) or line.startswith(begins)
