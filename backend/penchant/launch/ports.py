"""The three ports of a server."""

from __future__ import annotations

import random
import socket
from dataclasses import dataclass, replace

from penchant.launch.errors import LaunchError
from penchant.launch.processes import listener

_FROM, _TO = 20000, 32000
"""Below the range that the system assigns to outgoing connections."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of a server; 0: any free port."""

    grpc: int = 8001
    http: int = 8000
    metrics: int = 8002

    def items(self) -> tuple[tuple[str, int], ...]:
        """The names and the numbers of the ports."""
        return ("grpc", self.grpc), ("http", self.http), ("metrics", self.metrics)


FREE = Ports(0, 0, 0)
"""Any three free ports."""

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}
_LOCAL = ("localhost", "127.", "::1")


@dataclass(frozen=True, slots=True)
class Hosts:
    """The addresses that a server listens on; by default only this machine reaches it."""

    grpc: str = "127.0.0.1"
    http: str = "127.0.0.1"
    metrics: str = "127.0.0.1"

    def of(self, name: str) -> str:
        """The address for `grpc`, `http` or `metrics`."""
        return {"grpc": self.grpc, "http": self.http, "metrics": self.metrics}[name]

    def public(self) -> tuple[str, ...]:
        """The names of those that other machines may reach.

        >>> Hosts("0.0.0.0").public()
        ('grpc',)
        """
        names = ("grpc", "http", "metrics")
        return tuple(name for name in names if not self.of(name).startswith(_LOCAL))


LOOPBACK = Hosts()
"""This machine alone."""


def local_address(host: str, port: int) -> str:
    """The `host:port` by which clients on this machine reach a server that listens on a host.

    >>> local_address("0.0.0.0", 8001), local_address("::", 8001)
    ('127.0.0.1:8001', '[::1]:8001')
    """
    host = _ANYWHERE.get(host, host)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


DEFAULT_TARGET = f"localhost:{Ports().grpc}"
"""The gRPC address of a server on this machine that has the default ports."""


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen on a port now.

    Raises:
        LaunchError: the host cannot be resolved, or the port is reserved for other users.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
    except OSError as error:
        raise LaunchError(f"host: got {host!r}, which cannot be resolved: {error}") from error
    with socket.socket(family, kind, protocol) as probe:
        # As in Triton: ports of recently closed connections count as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except PermissionError as error:
            raise LaunchError(f"port {port}: this user may not listen on it") from error
        except OSError:
            return False
    return True


def choose(ports: Ports, hosts: Hosts = LOOPBACK) -> Ports:
    """The ports with each 0 replaced by a free one.

    Raises:
        LaunchError: a port is taken, or given twice.
    """
    given = [port for _, port in ports.items() if port]
    for name, port in ports.items():
        host = hosts.of(name)
        if port and given.count(port) > 1:
            raise LaunchError(f"port {port} is given twice, once for {name}; each needs its own")
        if port and not is_free(host, port):
            raise LaunchError(
                f"port {port} is taken: {listener(port)} listens on {host}:{port}; stop it, or "
                f"choose another port with --{name}-port"
            )
    picked: dict[str, int] = {}
    for name, port in ports.items():
        if not port:
            picked[name] = _any_free(hosts.of(name), {*given, *picked.values()})
    return replace(ports, **picked)


def _any_free(host: str, taken: set[int]) -> int:
    for _ in range(200):
        port = random.randint(_FROM, _TO)
        if port not in taken and is_free(host, port):
            return port
    raise LaunchError(f"no free port between {_FROM} and {_TO} on {host}")
