"""`penchant serve` as a process of its own, on a real Triton, with an encoder of a few words."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from penchant.launch import processes, shared_memory
from penchant_sdk import Item, Penchant
from tests.support.word_encoder import write_word_encoder

PATIENCE_S = 180.0
"""Longest wait for anything, on a machine several times slower than usual."""

FILMS = [Item(f"film-{n}", text) for n, text in enumerate(("red film", "blue film", "old film"))]


def wait_until(condition: Callable[[], bool], what: str, patience_s: float = PATIENCE_S) -> float:
    """Polls a condition; returns the seconds that it took."""
    started = time.monotonic()
    while not condition():
        waited = time.monotonic() - started
        assert waited < patience_s, f"{what}: not within {patience_s:g} s"
        time.sleep(0.02)
    return time.monotonic() - started


class ServeProcess:
    """A running `penchant serve`."""

    def __init__(self, process: subprocess.Popen[str], directory: Path) -> None:
        self.process = process
        self.directory = directory
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def target(self) -> str:
        return self.said("gRPC")

    @property
    def files(self) -> Path:
        """The directory of the server's logs."""
        return Path(self.said("log")).parent

    def said(self, name: str) -> str:
        """The value behind a name in the summary."""
        (value,) = (line.split(None, 1)[1] for line in self.lines if line.split()[:1] == [name])
        return value.strip()

    def triton(self) -> psutil.Process:
        return triton_of(self.process.pid)

    def clocks(self) -> list[psutil.Process]:
        """The refresh clock, while one is up."""
        return [one for one in _children(self.process.pid) if " refresh " in _line(one)]

    def stubs(self) -> dict[str, psutil.Process]:
        """The processes of the model instances, by name."""
        found = processes.stubs(self.triton().pid)
        return {name: psutil.Process(pid) for name, pid in found.items()}

    def family(self) -> list[psutil.Process]:
        """The command itself, Triton and the models."""
        return [psutil.Process(self.process.pid), self.triton(), *self.stubs().values()]

    def backs(self) -> int:
        """How often it has said that the server is up again."""
        return sum("is up again" in line for line in self.lines)

    def wait_for(self, text: str, count: int = 1) -> None:
        """Waits until it has printed a text so many times."""

        def there() -> bool:
            # A process may have ended before its last line was read; then the reader ends too.
            assert self._reader.is_alive() or text in "".join(self.lines), self.lines
            return sum(text in line for line in self.lines) >= count

        wait_until(there, f"{text!r} in {self.lines}")

    def client(self, timeout_s: float = 30.0) -> Penchant:
        return Penchant(self.target, timeout_s=timeout_s)

    def end(self) -> None:
        """Kills it with all of its processes: a Triton takes 3 s to end by itself."""
        if self.process.poll() is not None:
            return
        family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait(PATIENCE_S)
        for one in family:
            with suppress(psutil.NoSuchProcess):
                one.kill()  # A model that hangs as it ends would be waited for, and live on.
        psutil.wait_procs(family, PATIENCE_S)
        shared_memory.remove_stale()

    def stop_reading(self) -> None:
        """Closes the pipe that the command prints to, once one more line has been read."""
        assert self.process.stdout is not None
        with Path(os.devnull).open("rb") as nothing:
            os.dup2(nothing.fileno(), self.process.stdout.fileno())

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))


def triton_of(serve_pid: int) -> psutil.Process:
    """The Triton that a `penchant serve` has up."""
    # By its own command line: that of a process that has just begun or ended is empty.
    (child,) = (one for one in _children(serve_pid) if "--model-repository=" in _line(one))
    return child


def _children(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children()


def _line(process: psutil.Process) -> str:
    """Its command line; empty if it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


FREE_PORTS = ("--grpc-port=0", "--http-port=0", "--metrics-port=0")


@contextmanager
def started(
    directory: Path, options: Sequence[str] = (), prefix: Sequence[str] = ()
) -> Iterator[ServeProcess]:
    """The command in a directory, from its start to its end, whether or not it comes up.

    `prefix` is a program that runs it, with that program's arguments.
    """
    encoder = directory / ".penchant" / "encoder"
    if not encoder.exists():
        write_word_encoder(encoder, [film.text for film in FILMS], dimensions=8, seed=1)
    program = [*prefix, sys.executable, "-m", "penchant.cli.main", "serve", *FREE_PORTS, *options]
    with subprocess.Popen(
        program,
        cwd=directory,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        serve = ServeProcess(process, directory)
        try:
            yield serve
        finally:
            serve.end()


@contextmanager
def serving(
    directory: Path, options: Sequence[str] = (), prefix: Sequence[str] = ()
) -> Iterator[ServeProcess]:
    """The command in a directory, once it is up, with a catalog of three films."""
    with started(directory, options, prefix) as serve:
        serve.wait_for("Ctrl-C stops it.")
        with serve.client(timeout_s=30.0) as penchant:
            penchant.put_items(FILMS)
        yield serve
