"""Machines in network namespaces of their own, at one switch, so that cables can be pulled.

with_parted_network(lambda network: ...)

The work runs in a thread that is in a new namespace itself: nothing of this machine's own network
is touched, and all of it is gone with the thread and the processes of the machines.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from penchant.system import tied_process

_NEW_NETWORK = 0x40000000
"""CLONE_NEWNET"""
_LIBC = ctypes.CDLL(None, use_errno=True)

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Machine:
    """A network namespace that a process holds open."""

    number: int
    pid: int

    @property
    def host(self) -> str:
        """Its address."""
        return f"10.77.0.{self.number}"

    @property
    def inside(self) -> Sequence[str]:
        """What a command begins with that runs in it."""
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", "--"]

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Has this thread, and the threads that it starts, be in it during the block."""
        with ExitStack() as opened:
            files = []
            for path in (f"/proc/{self.pid}/ns/net", "/proc/thread-self/ns/net"):
                files.append(os.open(path, os.O_RDONLY))
                opened.callback(os.close, files[-1])
            _check(_LIBC.setns(files[0], _NEW_NETWORK))
            try:
                yield
            finally:
                _check(_LIBC.setns(files[1], _NEW_NETWORK))

    @contextmanager
    def cut_off(self) -> Iterator[None]:
        """Pulls its cable during the block."""
        _run("ip", "link", "set", f"to{self.number}", "down")
        try:
            yield
        finally:
            _run("ip", "link", "set", f"to{self.number}", "up")

    @contextmanager
    def parted_from(self, others: Sequence[Machine]) -> Iterator[None]:
        """Lets nothing through to some other machines during the block, and thus no reply."""
        for other in others:
            _run(*self.inside, "ip", "route", "add", "blackhole", f"{other.host}/32")
        try:
            yield
        finally:
            for other in others:
                _run(*self.inside, "ip", "route", "del", "blackhole", f"{other.host}/32")


def with_parted_network(machines: int, work: Callable[[Sequence[Machine]], _Result]) -> _Result:
    """What work does with machines that reach each other, and are reached from its thread.

    Skips the test where this process may not make network namespaces.
    """

    def run() -> _Result:
        if _LIBC.unshare(_NEW_NETWORK):
            raise _NotPermittedError(os.strerror(ctypes.get_errno()))
        with ExitStack() as ended:
            _run("ip", "link", "set", "lo", "up")
            _run("ip", "link", "add", "switch", "type", "bridge")
            _run("ip", "address", "add", "10.77.0.254/24", "dev", "switch")
            _run("ip", "link", "set", "switch", "up")
            return work([_machine(number, ended) for number in range(1, machines + 1)])

    _start_starter()
    try:
        with ThreadPoolExecutor(1) as threads:
            return threads.submit(run).result()
    except _NotPermittedError as error:
        pytest.skip(f"needs network namespaces, `ip`, `unshare` and `nsenter`: {error}")


def _start_starter() -> None:
    """Has the thread that starts this process's programs be in its own network.

    A thread is where the one was that made it. Made by the work, it would have every program that
    this process starts from then on be in a network that nobody reaches.
    """
    here = Path.cwd()
    with Path(os.devnull).open("wb") as log:
        tied_process.start(["/bin/true"], directory=here, environment=os.environ, log=log).wait()


def _machine(number: int, ended: ExitStack) -> Machine:
    here = Path("/proc/thread-self/ns/net").readlink()
    try:
        holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
    except FileNotFoundError as error:
        raise _NotPermittedError(str(error)) from error
    ended.callback(holder.wait)
    ended.callback(holder.kill)
    deadline = time.monotonic() + 60.0
    while Path(f"/proc/{holder.pid}/ns/net").readlink() == here:
        assert time.monotonic() < deadline, "unshare does nothing"
        time.sleep(0.005)
    machine = Machine(number, holder.pid)
    port = f"to{number}"
    cable = ["type", "veth", "peer", "name", "eth0", "netns", str(holder.pid)]
    _run("ip", "link", "add", port, *cable)
    _run("ip", "link", "set", port, "master", "switch", "up")
    _run(*machine.inside, "ip", "link", "set", "lo", "up")
    _run(*machine.inside, "ip", "address", "add", f"{machine.host}/24", "dev", "eth0")
    _run(*machine.inside, "ip", "link", "set", "eth0", "up")
    return machine


class _NotPermittedError(Exception):
    """This process may not, or can't, make such a network."""


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise _NotPermittedError(str(error)) from error
    if done.returncode:
        raise _NotPermittedError(f"{' '.join(command)}: {done.stderr.strip()}")


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
