"""The rounds an encoder was trained in, noted beside its weights for the next round."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penchant.domain.arrays import Int64, Mask
from penchant.domain.errors import ConfigError
from penchant.system.durable_file import write_whole

FINETUNE_NOTE = "finetune.json"
"""File in a fine-tuned encoder's directory that holds its `FinetuneNote`."""


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A half-open interval in microseconds since 1970."""

    from_us: int
    until_us: int
    """Exclusive."""

    def holds(self, at_us: Int64) -> Mask:
        """Whether each time is in the interval, shape (n,).

        >>> import numpy as np
        >>> TimeSpan(2, 4).holds(np.array([1, 2, 3, 4])).tolist()
        [False, True, True, False]
        """
        return (at_us >= self.from_us) & (at_us < self.until_us)


@dataclass(frozen=True, slots=True)
class RoundRecord:
    """The events of one fine-tuning round."""

    train: TimeSpan
    test: TimeSpan
    """Never trained on, not by later rounds either."""
    log_until_us: int
    """Exclusive end of the log; the next round's new events start here."""


@dataclass(frozen=True, slots=True)
class FinetuneNote:
    """An encoder's rounds, oldest first, with the last round's settings and results."""

    rounds: tuple[RoundRecord, ...]
    settings: dict[str, Any]
    """See `FinetuneSettings.as_dict`."""
    measured: dict[str, float]
    """See `FinetuneReport.measured`."""

    def write(self, directory: Path) -> None:
        """Writes the note into an encoder's directory."""
        text = json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True)
        write_whole(directory / FINETUNE_NOTE, text + "\n")


def read_note(directory: Path) -> FinetuneNote:
    """Reads the note of an encoder that `penchant finetune` wrote.

    Raises:
        ConfigError: the directory has no readable note.
    """
    try:
        content = json.loads((directory / FINETUNE_NOTE).read_text(encoding="utf-8"))
        rounds = tuple(
            RoundRecord(TimeSpan(**row["train"]), TimeSpan(**row["test"]), int(row["log_until_us"]))
            for row in content["rounds"]
        )
        return FinetuneNote(rounds, dict(content["settings"]), dict(content["measured"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"from: {directory} holds no readable {FINETUNE_NOTE}, expected an encoder that "
            f"`penchant finetune` wrote: {error}"
        ) from error
