"""What happened to the server of a directory: a log of starts and faults that outlives restarts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from penchant.system.durable_file import write_whole

NAME = "serve.log"

_KEPT_LINES = 1000
_LINE = re.compile(r"(?P<at>\d{4}-\S+Z) (?P<kind>\w+)(?: (?P<text>.*))?")
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that happened to a server."""

    at: datetime
    kind: str
    """`started`, `stopped`, `cleaned`, or the kind of a fault."""
    text: str


class ServerHistory:
    """The log `serve.log` in a server's directory; one line an entry, the latest 1,000 or more."""

    def __init__(
        self, directory: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Describes the log; the directory need not exist.

        Args:
            directory: the server's directory.
            clock: the time now, with a time zone.
        """
        self.path = directory / NAME
        self._clock = clock

    def add(self, kind: str, text: str) -> HistoryEntry:
        """Appends a line; a text of several lines becomes one."""
        entry = HistoryEntry(self._clock(), kind, " | ".join(map(str.strip, text.splitlines())))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._shorten()
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{entry.at:{_TIME}} {entry.kind} {entry.text}\n")
        except OSError:  # A full disk must not keep the server from being started again.
            pass
        return entry

    def entries(self) -> list[HistoryEntry]:
        """What the log holds, in its order; lines that cannot be read are left out."""
        found = (_LINE.fullmatch(line) for line in self._lines())
        return [
            HistoryEntry(
                datetime.strptime(line["at"], _TIME).replace(tzinfo=UTC),
                line["kind"],
                line["text"] or "",
            )
            for line in found
            if line
        ]

    def _lines(self) -> list[str]:
        try:
            return self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []

    def _shorten(self) -> None:
        lines = self._lines()
        if len(lines) >= 2 * _KEPT_LINES:
            write_whole(self.path, "\n".join(lines[-_KEPT_LINES:]) + "\n")
