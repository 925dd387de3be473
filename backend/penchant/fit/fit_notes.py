"""What a fit has worked out so far, in a file, so that the same command goes on after a kill."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.errors import ConfigError
from penchant.system.durable_file import write_whole

NOTES = "fit.json"
"""File of the notes in the output's directory; marks it as one that a fit may write to."""


class FitNotes:
    """Results by name; each is on disk before the next step begins."""

    def __init__(self, directory: Path, task: dict[str, str]) -> None:
        """Opens the notes of a task, or begins them.

        Args:
            directory: the output's directory; made if it does not exist.
            task: everything that the results depend on, by readable names.

        Raises:
            ConfigError: the directory holds something else, or the notes of another task.
        """
        self._path = directory / NOTES
        if directory.exists() and not self._path.is_file() and any(directory.iterdir()):
            raise ConfigError(
                f"output: {directory} holds something other than a fit; name another directory"
            )
        self._results: dict[str, Any] = {}
        if self._path.is_file():
            self._results = _read(self._path, task)
        self._task = task
        self.resumed = bool(self._results)
        """Whether an earlier run left results."""
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._save()
        except OSError as error:
            raise ConfigError(f"output: {directory} can't be written: {error.strerror}") from None

    def gains(self, name: str) -> Float64 | None:
        """The gains of each ranking under a name, shape (n,); None if they are not known."""
        found = self._results.get(name)
        return None if found is None else np.array(found, np.float64)

    def note_gains(self, name: str, gains: Float64) -> None:
        """Notes the gains of each ranking under a name."""
        self._results[name] = gains.tolist()
        self._save()

    def text(self, name: str) -> str:
        """The text under a name; empty if there is none."""
        return str(self._results.get(name, ""))

    def note_text(self, name: str, text: str) -> None:
        """Notes a text under a name."""
        self._results[name] = text
        self._save()

    def _save(self) -> None:
        write_whole(self._path, json.dumps({"task": self._task, "results": self._results}))


def _read(path: Path, task: dict[str, str]) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        known, results = dict(content["task"]), dict(content["results"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"output: {path} can't be read: {error}") from None
    other = [name for name in sorted({*known, *task}) if known.get(name) != task.get(name)]
    if other:
        raise ConfigError(
            f"output: {path.parent} holds a fit with another {', '.join(other)}; name another "
            "directory, or remove that one"
        )
    return results
