"""Resumable training: its checkpoints, and a note of the inputs it was started with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from penchant.domain.errors import ConfigError
from penchant.system.durable_file import write_whole

STATE = "run.json"
"""File beside the checkpoints that names the inputs of their training."""
TRAINED_WEIGHTS = "trained.safetensors"
"""File in a checkpoint of a fine-tuning with the weights that it trains."""


def checkpoints_of(output: Path) -> Path:
    """The directory that holds the checkpoints of an unfinished training, beside its output."""
    return output.with_name(output.name + ".training")


def note_inputs(checkpoints: Path, inputs: Mapping[str, object]) -> None:
    """Notes the inputs of a training that starts, or checks those of one that resumes.

    Args:
        checkpoints: directory of the training; created if missing.
        inputs: everything the training depends on, under names that people read; JSON values.

    Raises:
        ConfigError: a training with other inputs was started there.
    """
    state = checkpoints / STATE
    if not state.is_file():
        write_whole(state, json.dumps(inputs) + "\n")
        return
    known = json.loads(state.read_text(encoding="utf-8"))
    other = [name for name, value in inputs.items() if known.get(name) != value]
    if other:
        raise ConfigError(
            f"output: {checkpoints} holds a training with other {', '.join(other)}; "
            "use the same, remove the directory to start again, or name another output"
        )


def last_checkpoint(checkpoints: Path) -> Path | None:
    """The newest complete checkpoint in a directory; None without one."""
    found = [
        path for path in checkpoints.glob("checkpoint-*") if (path / "trainer_state.json").is_file()
    ]
    return max(found, key=lambda path: int(path.name.rsplit("-", 1)[1]), default=None)
