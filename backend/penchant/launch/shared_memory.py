"""The shared memory through which a Triton and its models exchange tensors.

The names of a server's regions begin with a prefix of its own. A file of that prefix is locked as
long as the server's owner lives, so that any later server can tell the regions of the dead.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
from pathlib import Path

from penchant.launch.errors import LaunchError

PLACE = Path("/dev/shm")

REGION_BYTES = 1 << 20
"""First size of a model instance's region, and the step by which it grows."""

_REFUSED_BYTES, _COMFORTABLE_BYTES = 2 * REGION_BYTES, 8 * REGION_BYTES
"""Bytes per instance: the least to start with, and enough for large calls."""

_OWNER = re.compile(r"(penchant_[0-9a-f]{12}_)owner")


class Regions:
    """The regions of one server; owned from the construction to `remove`."""

    def __init__(self) -> None:
        """Chooses a prefix, and locks its file until `remove` or the end of this process.

        Raises:
            LaunchError: this user may not write shared memory.
        """
        self.prefix = f"penchant_{secrets.token_hex(6)}_"
        """What the names of the regions begin with."""
        path = PLACE / f"{self.prefix}owner"
        try:
            self._owner = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        except OSError as error:
            raise LaunchError(
                f"shared memory: {path} cannot be written: {error.strerror}"
            ) from None
        fcntl.flock(self._owner, fcntl.LOCK_EX)

    def close_to_others(self) -> None:
        """Makes the regions readable for this user alone; Triton makes them readable for all."""
        for path in PLACE.glob(f"{self.prefix}*"):
            path.chmod(0o600)

    def remove(self) -> list[str]:
        """Removes the regions after the server's end; returns the names of those it had left."""
        names = _remove(self.prefix)
        os.close(self._owner)
        return names


def remove_stale() -> list[str]:
    """Removes the regions of servers that were killed together with their owner.

    Returns:
        The names of the removed regions; those of other users' servers stay.
    """
    removed: list[str] = []
    for path in sorted(PLACE.glob("penchant_*_owner")):
        found = _OWNER.fullmatch(path.name)
        if found is None:
            continue
        try:
            owner = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            removed += _remove(found[1])
        except BlockingIOError:  # Its owner lives.
            continue
        finally:
            os.close(owner)
    return removed


def free_bytes(place: Path = PLACE) -> int:
    """Bytes that new regions may take.

    Raises:
        LaunchError: there is no shared memory.
    """
    if not place.is_dir():
        raise LaunchError(f"shared memory: {place} does not exist; mount a tmpfs on it")
    return shutil.disk_usage(place).free


def check_room(instances: int, place: Path = PLACE) -> str:
    """Checks that the shared memory has room for a server.

    Args:
        instances: model instances, over all models.
        place: the tmpfs.

    Returns:
        A warning where large calls may not fit; else an empty text.

    Raises:
        LaunchError: there is not enough to start with.
    """
    free = free_bytes(place)
    least, comfortable = instances * _REFUSED_BYTES, instances * _COMFORTABLE_BYTES
    if free >= comfortable:
        return ""
    expected = least if free < least else comfortable
    text = (
        f"shared memory: got {free >> 20} MiB free in {place}, expected {expected >> 20} MiB for "
        f"{instances} model instances; remove leftovers of killed servers there, use fewer "
        "--rank-instances, or give a container more with --shm-size=256m"
    )
    if free < least:
        raise LaunchError(text)
    return f"{text}; until then, large calls may fail"


def _remove(prefix: str) -> list[str]:
    names = sorted(path.name for path in PLACE.glob(f"{prefix}*"))
    for name in names:
        (PLACE / name).unlink(missing_ok=True)
    return [name for name in names if name != f"{prefix}owner"]
