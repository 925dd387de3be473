"""What an import leaves beside its file: how far it came, and the rows that did not fit.

`FILE.import.json` is there while an import is unfinished; the same command then goes on behind the
last row that the server acked. `FILE.rejected.jsonl` holds each refused row with the reason.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from penchant.domain.errors import ConfigError
from penchant.logs.tables.files import Row


class Ledger:
    """The two side files of one import; use as a context manager."""

    def __init__(
        self, path: Path, options: Mapping[str, Any], *, state: Path | None = None
    ) -> None:
        """Reads how far an earlier import of the same file with the same options came.

        Args:
            path: The file that is imported.
            options: What else must be equal for an import to go on: target, columns.
            state: The state file; default: beside the file.
        """
        self.state_path = state or path.with_name(path.name + ".import.json")
        self.rejected_path = path.with_name(path.name + ".rejected.jsonl")
        status = path.stat()
        self._inputs = {"size": status.st_size, "mtime_ns": status.st_mtime_ns, **options}
        self.row = 0
        """The last row that is done."""
        self.counts: Counter[str] = Counter()
        """Rows by what became of them; `rejected` is one of the words."""
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

    def reject(self, row: Row, reason: str) -> None:
        """Writes a row that was refused to the side file."""
        if self._file is None:
            self._file = self._open()
        record = {"row": row.number, "reason": reason, "values": dict(row.values)}
        line = json.dumps(record, ensure_ascii=False, default=str)
        self._file.write(line.encode("utf-8", "backslashreplace") + b"\n")
        self.counts["rejected"] += 1

    def save(self, row: int) -> None:
        """Notes that all rows up to this one are done."""
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
        fresh = self.state_path.with_name(self.state_path.name + ".new")
        try:
            fresh.write_text(json.dumps(state), encoding="utf-8")
            fresh.replace(self.state_path)
        except OSError as error:
            raise ConfigError(
                f"state: {self.state_path} can't be written: {error.strerror}; name another place "
                "with --state"
            ) from error

    def finish(self) -> None:
        """Removes the state file, and rejected rows that an earlier import left."""
        self.state_path.unlink(missing_ok=True)
        if not self.counts["rejected"]:
            self.rejected_path.unlink(missing_ok=True)

    def _resume(self) -> int:
        try:
            state = json.loads(self.state_path.read_text(encoding="utf-8"))
            if state["inputs"] != self._inputs:
                return 0
            row, kept = int(state["row"]), int(state["rejected_bytes"])
            counts = Counter({str(word): int(count) for word, count in state["counts"].items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return 0  # None, or not ours: from the start, which events by their ids allow.
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
