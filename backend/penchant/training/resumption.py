"""Long work that goes on after a stop: what was begun, noted beside its checkpoints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from penchant.domain.errors import ConfigError

STATE = "run.json"
"""What a begun training was begun with."""


def note_begun(checkpoints: Path, begun: Mapping[str, object]) -> None:
    """Notes what is begun in a directory, or sees that it is what was begun there before.

    Args:
        checkpoints: of one training; made where it is not there.
        begun: all that the training depends on, by names for people; values that JSON holds.

    Raises:
        ConfigError: another training was begun there.
    """
    state = checkpoints / STATE
    if not state.is_file():
        checkpoints.mkdir(parents=True, exist_ok=True)
        state.write_text(json.dumps(begun) + "\n", encoding="utf-8")
        return
    known = json.loads(state.read_text(encoding="utf-8"))
    other = [name for name, value in begun.items() if known.get(name) != value]
    if other:
        raise ConfigError(
            f"output: {checkpoints} holds a training with other {', '.join(other)}; "
            "use the same, remove the directory to begin anew, or name another output"
        )
