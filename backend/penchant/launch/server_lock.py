"""The lock on a server's directory: who uses it, and what a killed user left running."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from penchant.launch import processes
from penchant.launch.errors import LaunchError
from penchant.system.file_lock import FileLock
from penchant.system.process_identity import identity, is_alive, leads_its_group, pid_of

log = logging.getLogger("penchant")

NAME = "server.pid"
"""The file that is locked; it names the owner and its Triton, with their start times."""

_NOTE_BYTES = 1023
_NOTED_WITHIN_S = 0.5


class ServerLock:
    """The right to run a server in a directory; held from `acquire` to `release`."""

    def __init__(self, directory: Path) -> None:
        """Describes the lock of a directory; takes nothing yet."""
        self._path = directory / NAME
        self._file: FileLock | None = None

    def acquire(self) -> list[str]:
        """Takes the lock, and ends what a killed owner of the directory left.

        Returns:
            One line per thing that was ended or removed.

        Raises:
            LaunchError: another server uses the directory, or it cannot be written.
        """
        if self._file is not None:
            return []
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.parent.chmod(0o700)  # Logs may name users, and a key lies here.
            file = FileLock(self._path)
        except OSError as error:
            raise LaunchError(f"{self._path}: cannot be written: {error.strerror}") from error
        try:
            free = file.acquire(0.0)
        except OSError as error:
            file.close()
            raise LaunchError(
                f"{self._path}: cannot be locked ({error.strerror}); serve from a directory on a "
                "local file system"
            ) from error
        noted = _read(file.fileno()) if free else _read_of_owner(file.fileno())
        if not free:
            file.close()
            raise LaunchError(self._taken(noted.get("owner", "")))
        self._file = file
        self._write({**noted, "owner": identity(os.getpid())})  # Who comes now is told by name.
        return _end(noted)

    def note(self, triton_pid: int, ports: dict[str, int], scratch: Path | None) -> None:
        """Writes who runs here now, for the next owner and for `penchant doctor`.

        Args:
            triton_pid: id of Triton's process, and of its group.
            ports: the ports by name.
            scratch: a directory to remove with the server, if it has one.
        """
        assert self._file is not None
        content = {
            "owner": identity(os.getpid()),
            "triton": identity(triton_pid),
            "ports": ports,
            "scratch": str(scratch) if scratch else "",
        }
        self._write(content)

    def _write(self, content: Mapping[str, object]) -> None:
        assert self._file is not None
        # Padded and written over, not emptied first: on a full disk, the last note stays.
        text = json.dumps(content, indent=1).encode().ljust(_NOTE_BYTES) + b"\n"
        try:
            os.pwrite(self._file.fileno(), text, 0)
        except OSError as error:
            log.warning("%s: cannot be written: %s", self._path, error.strerror)

    def release(self) -> None:
        """Gives the lock back; nothing is left for the next owner to end."""
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            os.ftruncate(self._file.fileno(), 0)
        self._file.close()
        self._file = None

    def _taken(self, owner: str) -> str:
        who = f"process {pid_of(owner)}" if is_alive(owner) else "another process"
        return (
            f"directory: {self._path.parent} is in use by a server of {who}; stop that one, or "
            "serve from another directory"
        )


def _read(file: int) -> dict[str, str]:
    """What the last owner noted; empty if it noted nothing, or what is there is no note."""
    size = os.fstat(file).st_size
    try:
        noted = json.loads(os.pread(file, size, 0))
    except ValueError:
        return {}
    if not isinstance(noted, dict):
        return {}
    return {name: value for name, value in noted.items() if isinstance(value, str)}


def _read_of_owner(file: int) -> dict[str, str]:
    """What the owner noted, which may have taken the lock just now."""
    deadline = time.monotonic() + _NOTED_WITHIN_S
    while not is_alive((noted := _read(file)).get("owner", "")) and time.monotonic() < deadline:
        time.sleep(0.01)
    return noted


def _end(noted: dict[str, str]) -> list[str]:
    lines = []
    orphan, scratch = noted.get("triton", ""), noted.get("scratch", "")
    # Else the number is another program's by now, perhaps another server's Triton.
    ours = leads_its_group(orphan)
    if is_alive(orphan) or (ours and processes.stubs_in_group(pid_of(orphan))):
        processes.kill_group(pid_of(orphan))
        lines.append(f"ended process {pid_of(orphan)}, a Triton whose `penchant serve` was killed")
    if scratch:
        shutil.rmtree(scratch, ignore_errors=True)
    return lines
