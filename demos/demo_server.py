"""The server of a demo: free ports, a scratch directory, and nothing left behind."""

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

from demos.progress_steps import step
from penchant.domain.errors import ConfigError
from penchant.launch import FREE, LaunchError, Ports, Server
from penchant.launch.model_parameters import HOME, gather
from penchant.launch.ports import choose
from penchant.launch.server import ATTEMPTS
from penchant.report.terminal import Terminal
from penchant_sdk import Penchant

TIMEOUT_S = 30.0
"""Timeout of a demo's calls, longer than an application's: the machine may be busy."""


def run_demo(output: Path, play: Callable[[Terminal, Path], int | None]) -> int:
    """Runs a demo in a scratch directory and returns its exit status.

    Ctrl-C, SIGTERM and SIGHUP all end the demo with its server stopped and the scratch directory
    removed.

    Args:
        output: directory for the demo's results; created if missing.
        play: the demo itself. It takes the console and the scratch directory, and returns an exit
            status; None means 0.

    Raises:
        ConfigError: `output` can't be created.
    """
    _create(output)
    console = Terminal()
    try:
        with interruptible(), scratch(HOME) as directory:
            return play(console, directory.absolute()) or 0
    except KeyboardInterrupt:
        console.print("Stopped; the server is down.")
        return 128 + signal.SIGINT


@contextmanager
def scratch(home: Path) -> Iterator[Path]:
    """Creates a directory in `home` and removes it at the end."""
    home.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="demo-", dir=home))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def interruptible() -> Iterator[None]:
    """Lets SIGTERM and SIGHUP end the body as Ctrl-C does, so that its clean-up runs."""

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


def store_in(directory: Path) -> str:
    """The address of a demo's own LMDB store in its scratch directory."""
    return f"lmdb:{directory / 'store'}"


def make_server(
    directory: Path,
    encoder: Path,
    store: str | None = None,
    *,
    keep: bool = False,
    settings: Sequence[str] = (),
) -> Server:
    """Describes the server of a demo without starting it.

    Args:
        directory: scratch directory, for the server's files and for the store if none is named.
        encoder: directory of the encoder.
        store: address of an LMDB store that does not exist yet.
        keep: whether to prefer the default ports, so that other commands find the server.
        settings: further settings of the models, each as `key=value`.

    Raises:
        ConfigError: the store is not empty.
    """
    address = store or store_in(directory)
    place = Path(address.partition(":")[2])
    if store and place.is_dir() and any(place.iterdir()):
        raise ConfigError(
            f"store: {place} is not empty, and the demo needs a fresh one; name another directory"
        )
    parameters = gather(address, encoder, settings)
    return Server(directory / "server", parameters, ports=_ports(keep))


@contextmanager
def serving(console: Terminal, server: Server) -> Iterator[Penchant]:
    """Starts a server, yields a client for it, and stops the server at the end."""
    try:
        with step(console, "Starting Triton") as starting:
            server.start(attempts=ATTEMPTS)
            starting.done = f"Triton is up: gRPC on {server.target}, every model has answered"
        with Penchant(server.target, timeout_s=TIMEOUT_S) as penchant:
            yield penchant
    finally:
        server.stop()


def wait_until_stopped(console: Terminal, server: Server) -> None:
    """Keeps the server up until Ctrl-C.

    Raises:
        LaunchError: the server ended by itself.
    """
    console.print(f"\nThe server stays up on {server.target} until Ctrl-C.", markup=False)
    try:
        _wait_for_exit(server)
    except KeyboardInterrupt:
        console.print("Stopping.")


def _wait_for_exit(server: Server) -> None:
    if server.pid:
        exited = os.pidfd_open(server.pid)
        try:
            select.select([exited], [], [])
        finally:
            os.close(exited)
    lines = "".join(f"\n  {line}" for line in server.log_tail())
    raise LaunchError(f"Triton ended by itself:{lines}", server.log_path)


def _create(directory: Path) -> None:
    """Creates the output directory before the work that fills it takes minutes."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"output: {directory} can't be created: {error.strerror}") from error


def _ports(keep: bool) -> Ports:
    if not keep:
        return FREE
    try:
        return choose(Ports())
    except LaunchError:
        return FREE
