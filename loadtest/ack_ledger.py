"""What servers acknowledged, one line an acknowledgement, written while a load runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path


class AckLedger:
    """The ledger of one process; a line is in the file as soon as the system likes."""

    def __init__(self, path: Path) -> None:
        """Begins an empty file."""
        self._file = path.open("w", encoding="utf-8")

    def acknowledged(self, at_s: float, events: Sequence[tuple[str, str]]) -> None:
        """Notes that events are durable.

        Args:
            at_s: epoch seconds.
            events: user and event id of each.
        """
        self._file.write(json.dumps([at_s, events]) + "\n")

    def degraded(self, at_s: float) -> None:
        """Notes a ranking that was made while the store was away."""
        self._file.write(json.dumps([at_s, "degraded"]) + "\n")

    def close(self) -> None:
        """Writes what is left."""
        self._file.close()


@dataclass(frozen=True, slots=True)
class NotedAcks:
    """What the ledgers of a run hold."""

    events: dict[tuple[str, str], float] = field(default_factory=dict)
    """By user and event id: epoch seconds of the first acknowledgement."""
    degraded: int = 0
    """Rankings that were made while the store was away."""


def read_ledgers(paths: Iterable[Path]) -> NotedAcks:
    """What several processes noted; a last line that is cut off is left out."""
    events: dict[tuple[str, str], float] = {}
    degraded = 0
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                at_s, noted = json.loads(line)
            except ValueError:
                continue
            if noted == "degraded":
                degraded += 1
                continue
            for user, event_id in noted:
                events.setdefault((user, event_id), at_s)
    return NotedAcks(events, degraded)
