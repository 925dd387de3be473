"""The file of a search: its levels so far, so that the same command goes on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from penchant.capacity.capacity_request import CapacityRequest
from penchant.capacity.measured_level import MeasuredLevel
from penchant.domain.errors import ConfigError
from penchant.system.durable_file import write_whole
from penchant.system.whole_directory import check_makeable

NAME = "capacity.json"


def unfinished_levels(request: CapacityRequest) -> list[MeasuredLevel]:
    """The levels of a search with the same options that was interrupted; none: there is none.

    Raises:
        ConfigError: the output is no directory, the file is not one of these, or it belongs to an
            unfinished search with other options.
    """
    check_makeable(request.output)
    path = request.output / NAME
    if not path.is_file():
        return []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        finished, before = content["finished"], content["request"]
        levels = [MeasuredLevel.from_dict(one) for one in content["levels"]]
    except (ValueError, KeyError, TypeError):
        raise ConfigError(
            f"output: {path} is no file of `penchant capacity`; remove it, or name another --output"
        ) from None
    if finished:
        return []
    now = request.fingerprint()
    other = [name for name, value in now.items() if before.get(name) != value]
    if other:
        option = f"--{other[0].replace('_', '-')}"
        raise ConfigError(
            f"output: {path} holds an unfinished search with another {option} "
            f"({before.get(other[0])}, now {now[other[0]]}); go on with that one, remove the file, "
            "or name another --output"
        )
    return levels


def write_levels(
    request: CapacityRequest,
    levels: Sequence[MeasuredLevel],
    outcome: dict[str, Any],
    *,
    finished: bool,
) -> Path:
    """Writes the file, completely or not at all; returns its path."""
    path = request.output / NAME
    content = {
        "finished": finished,
        "request": request.fingerprint(),
        **outcome,
        "levels": [one.as_dict() for one in levels],
    }
    write_whole(path, json.dumps(content, indent=2) + "\n")
    return path
