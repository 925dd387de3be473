"""The state of a run: `state.json` in its directory, replaced as a whole at each change."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.system.durable_file import write_whole
from penchant.system.file_lock import FileLock

STATE = "state.json"
UNFINISHED, FINISHED, REFUSED = "unfinished", "finished", "refused"


class LockHeld(ConfigError):
    """Another run of the loop holds the lock.

    Cause: `penchant loop` with the same `runs` directory is still running, or one of its steps is.
    Remedy: wait for it, or end it. The lock goes with its process; delete nothing.
    """


@dataclass(slots=True)
class StepRecord:
    """A step that was begun."""

    digest: str
    """Digest of the arguments of this step and of all steps before it."""
    command: str
    """Command line of the step."""
    began_at: str
    """Start time, ISO 8601 in UTC."""
    seconds: float = 0.0
    """Duration in seconds."""
    exit_code: int | None = None
    """Exit code; None until the step has ended."""


@dataclass(slots=True)
class RunState:
    """The state of one run."""

    status: str = UNFINISHED
    """UNFINISHED, FINISHED or REFUSED."""
    published: bool = False
    """Whether the run published a release."""
    steps: dict[str, StepRecord] = field(default_factory=dict)
    """Steps that were begun, by name."""


def read_state(directory: Path) -> RunState:
    """Reads the state of a run.

    Raises:
        OSError: the directory holds no state.
    """
    table = json.loads((directory / STATE).read_text(encoding="utf-8"))
    table["steps"] = {name: StepRecord(**step) for name, step in table["steps"].items()}
    return RunState(**table)


def write_state(directory: Path, state: RunState) -> None:
    """Replaces the state, on disk before it returns."""
    write_whole(directory / STATE, json.dumps(asdict(state), indent=1))


def known_runs(runs: Path) -> list[Path]:
    """Lists the directories of runs, oldest first."""
    return sorted(path.parent for path in runs.glob(f"*/{STATE}"))


def last_published(runs: Path) -> Path | None:
    """The directory of the last run that published a release."""
    return next((run for run in reversed(known_runs(runs)) if read_state(run).published), None)


def drop_old(runs: Path, keep: int) -> None:
    """Removes all but the `keep` newest runs; the last published one always stays."""
    stays = last_published(runs)
    for run in known_runs(runs)[:-keep]:
        if run != stays:
            shutil.rmtree(run)


@contextmanager
def locked(runs: Path, now: str) -> Iterator[int]:
    """Holds the lock of all runs, and gives its file descriptor.

    A step inherits the descriptor, so a step that outlives a killed loop still holds the lock.

    Args:
        runs: directory of all runs.
        now: the time, for the error that another run gets.

    Raises:
        LockHeld: another run holds the lock.
    """
    runs.mkdir(parents=True, exist_ok=True)
    lock = FileLock(runs / "lock")
    try:
        if not lock.acquire(0.0):
            holder = lock.read().decode().strip()
            raise LockHeld(f"runs: another run holds {lock.path} ({holder})")
        os.ftruncate(lock.fileno(), 0)
        os.pwrite(lock.fileno(), f"pid {os.getpid()} since {now}\n".encode(), 0)
        yield lock.fileno()
    finally:
        lock.close()
