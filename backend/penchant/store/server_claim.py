"""One server a store: the processes of a server that write hold a claim, which others respect.

Each of them holds a shared lock on the file of its server, `server-<id>.lock` in the store's
directory. A process that starts tries to take the files of other servers alone: it can where no
process of theirs lives any more, in whatever way it ended, and removes them; else it is refused by
name. The lock is the kernel's, so this holds across containers of one machine. The models of one
server share its file, also while one of them is loaded again beside its predecessor.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from penchant.domain.errors import StoreUnavailable
from penchant.system.file_lock import FileLock
from penchant.system.process_identity import boot_id, process_stat

DYING_S = 10.0
"""Seconds that a server waits for the last processes of one that has ended."""

_TURN_S = 10.0
_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class ClaimingServer:
    """A server that writes to a store, as its claim describes it."""

    host: str
    pid: int
    """Of Triton, or of the program that holds the server in its own process."""
    started_s: float
    """When that process started, in seconds since its machine did."""
    boot: str
    """Id of that start of the machine, and of the process's view of process ids."""
    since: str
    """When the claim was made, UTC."""

    @property
    def id(self) -> str:
        """Short, and of this process alone."""
        text = f"{self.boot} {self.pid} {self.started_s}"
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since} UTC"


def this_server(pid: int) -> ClaimingServer:
    """The server whose main process has this id, on this machine."""
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
    return ClaimingServer(socket.gethostname(), pid, _started_s(pid), _boot(), now)


class ServerClaim:
    """The claim of a server's process on a store, until it is closed or the process ends."""

    def __init__(self, directory: Path, server: ClaimingServer) -> None:
        """Makes the claim.

        Args:
            directory: of the store; created if missing.
            server: the server that this process belongs to.

        Raises:
            StoreUnavailable: another server holds the store; the text names it.
        """
        self._directory = directory
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            deadline = time.monotonic() + DYING_S
            while True:
                with _turn(directory):
                    others = list(_others(directory, _path(directory, server)))
                    if not others:
                        self._file = FileLock(_path(directory, server))
                        self._file.acquire(_TURN_S, shared=True)
                        self._file.write(json.dumps(asdict(server)).encode())
                        return
                if not all(map(_has_ended, others)) or time.monotonic() > deadline:
                    raise StoreUnavailable(
                        f"store: got a second server for {directory}, expected one a store: "
                        f"{others[0] or 'another server'} writes to it; stop that one, or give "
                        "this one a store of its own"
                    )
                time.sleep(_PAUSE_S)  # Its last processes notice its end in a moment.
        except OSError as error:
            raise StoreUnavailable(f"store: can't open {directory}: {error}") from error

    def close(self) -> None:
        """Ends the claim; the last process of its server removes the file."""
        with contextlib.suppress(OSError, StoreUnavailable), _turn(self._directory):
            self._file.release()
            if self._file.acquire(0.0):
                self._file.path.unlink(missing_ok=True)
        self._file.close()


def claiming_servers(directory: Path) -> list[ClaimingServer]:
    """The servers that hold a store: none, or one."""
    if not directory.is_dir() or not any(directory.glob("server-*.lock")):
        return []
    with _turn(directory):
        return [server for server in _others(directory, None) if server is not None]


@contextmanager
def _turn(directory: Path) -> Iterator[None]:
    """Held while claims are looked at, so that two servers can't find the store free at once."""
    turn = FileLock(directory / "claim.lock")
    try:
        if not turn.acquire(_TURN_S):
            raise StoreUnavailable(
                f"store: another process has been claiming {directory} for {_TURN_S:g} s; if it is "
                "stopped, let it go on or end it"
            )
        yield
    finally:
        turn.close()


def _others(directory: Path, own: Path | None) -> Iterator[ClaimingServer | None]:
    """Other servers that hold the store, None for one that has not said its name; removes relics.

    The caller holds the turn.
    """
    for path in sorted(directory.glob("server-*.lock")):
        if path == own:
            continue
        file = FileLock(path)
        try:
            if file.acquire(0.0):
                path.unlink(missing_ok=True)
            else:
                yield _described(file.read())
        finally:
            file.close()


def _described(note: bytes) -> ClaimingServer | None:
    try:
        return ClaimingServer(**json.loads(note))
    except (ValueError, TypeError):
        return None


def _has_ended(server: ClaimingServer | None) -> bool:
    """Whether a server's main process is known to have ended."""
    return (
        server is not None
        and server.boot == _boot()
        and (_started_s(server.pid) != server.started_s)
    )


def _path(directory: Path, server: ClaimingServer) -> Path:
    return directory / f"server-{server.id}.lock"


def _started_s(pid: int) -> float:
    """When a process started, in seconds since the machine did; 0 if it is not there."""
    stat = process_stat(pid)
    return stat.start_ticks / os.sysconf("SC_CLK_TCK") if stat and stat.alive else 0.0


def _boot() -> str:
    """An id of this start of the machine and of this view of process ids."""
    try:
        return f"{boot_id()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()
