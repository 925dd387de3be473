"""What is known of a run: `state.json` in its directory, replaced as a whole at each change."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from penchant.domain.errors import ConfigError

STATE = "state.json"
UNFINISHED, FINISHED, REFUSED = "unfinished", "finished", "refused"


class LockHeld(ConfigError):
    """Another run of the loop holds the lock.

    Cause: `penchant loop` with the same `runs` directory is still running, or one of its steps is.
    Remedy: wait for it, or end it. The lock goes with its process; delete nothing.
    """


@dataclass(slots=True)
class Done:
    """A step that was begun."""

    digest: str
    command: str
    began_at: str
    """UTC, ISO 8601."""
    seconds: float = 0.0
    exit_code: int | None = None
    """None: it has not ended, as far as is known."""


@dataclass(slots=True)
class RunState:
    """One run."""

    status: str = UNFINISHED
    published: bool = False
    steps: dict[str, Done] = field(default_factory=dict)


def read_state(directory: Path) -> RunState:
    """The state of a run; OSError where there is none."""
    table = json.loads((directory / STATE).read_text(encoding="utf-8"))
    table["steps"] = {name: Done(**done) for name, done in table["steps"].items()}
    return RunState(**table)


def write_state(directory: Path, state: RunState) -> None:
    """Replaces the state at once, on disk before it returns."""
    partial = directory / (STATE + ".partial")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(asdict(state), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(directory / STATE)


def known_runs(runs: Path) -> list[Path]:
    """Directories of runs, oldest first."""
    return sorted(path.parent for path in runs.glob(f"*/{STATE}"))


def last_published(runs: Path) -> Path | None:
    """The directory of the last run that published."""
    return next((run for run in reversed(known_runs(runs)) if read_state(run).published), None)


def drop_old(runs: Path, keep: int) -> None:
    """Removes all but the newest runs; the last published one always stays."""
    stays = last_published(runs)
    for run in known_runs(runs)[:-keep]:
        if run != stays:
            shutil.rmtree(run)


@contextmanager
def locked(runs: Path, now: str) -> Iterator[int]:
    """Holds the lock of all runs, and gives its file descriptor.

    A step inherits the descriptor, so a step that outlives a killed loop still holds the lock.

    Raises:
        LockHeld: another run holds it.
    """
    runs.mkdir(parents=True, exist_ok=True)
    with (runs / "lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise LockHeld(
                f"runs: another run holds {runs / 'lock'} ({file.read().strip()})"
            ) from error
        file.truncate(0)
        file.write(f"pid {os.getpid()} since {now}\n")
        file.flush()
        yield file.fileno()
