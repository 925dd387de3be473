"""The note of damaged files beside the catalog's files, for `penchant doctor`: a line each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from penchant.system.durable_file import whole_file

NAME = "damage.log"
KEPT_LINES = 100


class NotedDamage(NamedTuple):
    """A file that was damaged and has been written again."""

    at: datetime
    """UTC."""
    text: str


def note_damage(directory: Path, reasons: Iterable[str]) -> None:
    """Adds a line for each reason; a note that can't be written costs nothing else."""
    now = datetime.now(UTC)
    lines = [
        f"{one.at.isoformat(timespec='seconds')} {one.text}" for one in noted_damage(directory)
    ]
    lines += [f"{now.isoformat(timespec='seconds')} {reason}" for reason in reasons]
    with contextlib.suppress(OSError), whole_file(directory / NAME, private=True) as file:
        file.write("".join(f"{line}\n" for line in lines[-KEPT_LINES:]).encode())


def noted_damage(directory: Path, within: timedelta | None = None) -> list[NotedDamage]:
    """The damage that was noted, the oldest first.

    Args:
        directory: of the catalog's files.
        within: how far back; None: all that is kept.
    """
    try:
        lines = (directory / NAME).read_text(errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        time, _, text = line.partition(" ")
        with contextlib.suppress(ValueError):
            found.append(NotedDamage(datetime.fromisoformat(time), text))
    since = datetime.min.replace(tzinfo=UTC) if within is None else datetime.now(UTC) - within
    return [one for one in found if one.at.tzinfo is not None and one.at >= since]
