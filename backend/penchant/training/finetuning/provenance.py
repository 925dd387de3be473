"""What an encoder was trained on, beside its weights: the next round goes on from there."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penchant.domain.errors import ConfigError

NOTE = "finetune.json"


@dataclass(frozen=True, slots=True)
class Span:
    """Moments in microseconds since 1970, the last one not included."""

    from_us: int
    until_us: int

    def holds(self, at_us: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which moments are inside, shape (n,).

        >>> Span(2, 4).holds(np.array([1, 2, 3, 4])).tolist()
        [False, True, True, False]
        """
        return (at_us >= self.from_us) & (at_us < self.until_us)


@dataclass(frozen=True, slots=True)
class Round:
    """One fine-tuning."""

    train: Span
    test: Span
    """Never trained on, by later rounds neither."""
    log_until_us: int
    """The log ended before this moment; the next round's events begin here."""


@dataclass(frozen=True, slots=True)
class Note:
    """All rounds, the last one last, and what the last one measured."""

    rounds: tuple[Round, ...]
    settings: dict[str, Any]
    measured: dict[str, float]

    def write(self, directory: Path) -> None:
        """Writes it into an encoder's directory."""
        text = json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True)
        (directory / NOTE).write_text(text + "\n", encoding="utf-8")


def read_note(directory: Path) -> Note:
    """The note of an encoder that `penchant finetune` wrote.

    Raises:
        ConfigError: the directory holds none.
    """
    try:
        content = json.loads((directory / NOTE).read_text(encoding="utf-8"))
        rounds = tuple(
            Round(Span(**row["train"]), Span(**row["test"]), int(row["log_until_us"]))
            for row in content["rounds"]
        )
        return Note(rounds, dict(content["settings"]), dict(content["measured"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"from: {directory} holds no readable {NOTE}, expected an encoder that "
            f"`penchant finetune` wrote: {error}"
        ) from error
