"""The demo's server: a fresh store, free ports, and nothing left behind."""

from __future__ import annotations

import os
import select
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console

from penchant.domain.errors import ConfigError
from penchant.launch import FREE, LaunchError, Ports, Server
from penchant.launch.model_parameters import HOME, gather
from penchant.launch.ports import choose
from penchant_sdk import Penchant

HOST = "127.0.0.1"
TIMEOUT_S = 10.0


@contextmanager
def scratch(home: Path) -> Iterator[Path]:
    """A new directory in `home` that is gone afterwards."""
    home.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="demo-", dir=home))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def until_interrupted(console: Console, work: Callable[[Path], int | None]) -> int:
    """Runs a demo in a scratch directory of the home; returns its exit status.

    Ctrl-C, SIGTERM and SIGHUP end it alike, with its server stopped.
    """
    try:
        with interruptible(), scratch(HOME) as directory:
            return work(directory.absolute()) or 0
    except KeyboardInterrupt:
        console.print("Stopped; the server is down.")
        return 128 + signal.SIGINT


def connect(target: str) -> Penchant:
    """A client that waits longer than an application would."""
    return Penchant(target, timeout_s=TIMEOUT_S)


def make_server(
    directory: Path,
    encoder: Path,
    store: str | None,
    *,
    keep: bool,
    settings: Sequence[str] = (),
) -> Server:
    """Describes the server; nothing is started yet.

    Args:
        directory: For what the server writes, and for the store if none is named.
        encoder: The encoder's directory.
        store: Address of an LMDB store that is not there yet.
        keep: Prefer the usual ports, so that other commands find the server.
        settings: More of the models' settings, each as `key=value`.

    Raises:
        ConfigError: the store holds something.
    """
    address = store or f"lmdb:{directory / 'store'}"
    place = Path(address.partition(":")[2])
    if store and place.is_dir() and any(place.iterdir()):
        raise ConfigError(
            f"store: {place} is not empty, and the demo needs a fresh one; name another directory"
        )
    parameters = gather(address, encoder, settings)
    return Server(directory / "server", parameters, host=HOST, ports=_ports(keep))


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM and SIGHUP end the block as Ctrl-C does, so that the server is stopped too."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_for_end(server: Server) -> None:
    """Waits as long as the server runs.

    Raises:
        LaunchError: it ended by itself.
    """
    if server.pid:
        ended = os.pidfd_open(server.pid)
        try:
            select.select([ended], [], [])
        finally:
            os.close(ended)
    lines = "".join(f"\n  {line}" for line in server.log_tail())
    raise LaunchError(f"Triton ended by itself:{lines}", server.log_path)


def _ports(keep: bool) -> Ports:
    if not keep:
        return FREE
    try:
        return choose(Ports(), HOST)
    except LaunchError:
        return FREE
