"""Two files beside an imported file: the progress of the import, and the rejected rows.

`FILE.import.json` exists while an import is unfinished; the same command then continues after the
last row that the server acknowledged. `FILE.rejected.jsonl` holds each rejected row with its
reason.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from penchant.domain.errors import ConfigError
from penchant.system.apart import check_not_read
from penchant.system.durable_file import write_whole
from penchant.system.os_error_reason import reason_of


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that the reader or the server refused."""

    number: int
    """Row number in the file, from 1."""
    line: int | None
    """Line of the file on which the row begins; None: not a text file."""
    reason: str
    values: Mapping[str, Any]
    """The row's cells by column."""


class ImportProgress:
    """The two files of one import; use as a context manager."""

    def __init__(
        self, path: Path, options: Mapping[str, Any], *, state: Path | None = None
    ) -> None:
        """Reads the progress of an earlier import of the same file with the same options.

        Args:
            path: the file to import.
            options: further conditions of going on: target and columns must be the same.
            state: the progress file; default: beside the file.

        Raises:
            ConfigError: the progress file is one of the other two, or another program's.
        """
        self.state_path = state or path.with_name(path.name + ".import.json")
        self.rejected_path = path.with_name(path.name + ".rejected.jsonl")
        check_not_read(self.state_path, "--state", [path, self.rejected_path])
        if state is not None:
            _check_ours(state)
        status = path.stat()
        self._inputs = {"size": status.st_size, "mtime_ns": status.st_mtime_ns, **options}
        self.row = 0
        """The last row that is done; 0: none."""
        self.counts: Counter[str] = Counter()
        """Rows by result; the rejected ones under `rejected`."""
        self._kept = self._resume()
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()

    def reject(self, row: RejectedRow) -> None:
        """Writes a rejected row to its file."""
        if self._file is None:
            self._file = self._open()
        record: dict[str, Any] = {"row": row.number}
        if row.line is not None:
            record["line"] = row.line
        record |= {"reason": row.reason, "values": dict(row.values)}
        line = json.dumps(record, ensure_ascii=False, default=str)
        self._file.write(line.encode("utf-8", "backslashreplace") + b"\n")
        self.counts["rejected"] += 1

    def first_rejected(self, count: int) -> list[str]:
        """Returns the first rejected rows with their lines and reasons, as a person reads them."""
        if not self.counts["rejected"]:
            return []
        if self._file:
            self._file.flush()
        shown = []
        with self.rejected_path.open("rb") as file:
            for line in itertools.islice(file, count):
                record = json.loads(line)
                where = f", line {record['line']:,}" if "line" in record else ""
                shown.append(f"row {record['row']:,}{where}: {record['reason']}")
        return shown

    def save(self, row: int) -> None:
        """Notes that all rows up to this one are done.

        Raises:
            ConfigError: the progress file can't be written.
        """
        self.row = row
        if self._file:
            self._file.flush()
            self._kept = self._file.tell()
        state = {
            "inputs": self._inputs,
            "row": row,
            "counts": dict(self.counts),
            "rejected_bytes": self._kept,
        }
        try:
            write_whole(self.state_path, json.dumps(state))
        except OSError as error:
            raise ConfigError(
                f"state: {self.state_path} can't be written: {error.strerror}; name another place "
                "with --state"
            ) from error

    def finish(self) -> None:
        """Removes the progress file, and a file of rejected rows that an earlier import left."""
        self.state_path.unlink(missing_ok=True)
        if not self.counts["rejected"]:
            self.rejected_path.unlink(missing_ok=True)

    def _resume(self) -> int:
        """Takes over an earlier import's progress; returns the bytes of its rejected rows."""
        try:
            state = json.loads(self.state_path.read_text(encoding="utf-8"))
            if state["inputs"] != self._inputs:
                return 0
            row, kept = int(state["row"]), int(state["rejected_bytes"])
            counts = Counter({str(word): int(count) for word, count in state["counts"].items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return 0  # No progress of ours: from the start, which the events' ids make harmless.
        if kept and (not self.rejected_path.is_file() or self.rejected_path.stat().st_size < kept):
            return 0
        self.row, self.counts = row, counts
        return kept

    def _open(self) -> BinaryIO:
        try:
            file = self.rejected_path.open("r+b" if self._kept else "wb")
            file.truncate(self._kept)
            file.seek(self._kept)
        except OSError as error:
            raise ConfigError(
                f"rejected: {self.rejected_path} can't be written: {error.strerror}"
            ) from error
        return file


def _check_ours(state: Path) -> None:
    """Refuses a file that no import wrote: it would be replaced, and removed at the end.

    Raises:
        ConfigError: it holds anything else, or can't be read.
    """
    try:
        if not state.exists():
            return
        content = b"?" if not state.is_file() else state.read_bytes()
        found = json.loads(content) if content else {"inputs": None}
        ours = isinstance(found, dict) and "inputs" in found
    except OSError as error:
        raise ConfigError(f"--state: {state} can't be read: {reason_of(error)}") from error
    except (ValueError, TypeError):
        ours = False
    if not ours:
        raise ConfigError(
            f"--state: {state} holds something other than the progress of an import; name another "
            "file"
        )
