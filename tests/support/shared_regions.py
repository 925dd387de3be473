"""The shared memory of one server, whatever other servers of the machine have."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import psutil

from penchant.launch import shared_memory


def prefixes_held(processes: Iterable[psutil.Process]) -> set[str]:
    """Prefixes of the regions that living processes have mapped: one for each server."""
    held = {one.path for process in processes for one in process.memory_maps()}
    names = {Path(path).name for path in held if path.startswith(str(shared_memory.PLACE))}
    return {name.rpartition("_")[0] for name in names if name.startswith("penchant_")}


def regions_of(prefixes: Iterable[str]) -> set[str]:
    """Names of the regions there are with such prefixes."""
    return {path.name for one in prefixes for path in shared_memory.PLACE.glob(f"{one}_*")}
