"""The three ports of a server."""

from __future__ import annotations

import random
import socket
from dataclasses import dataclass, replace

from penchant.launch.errors import LaunchError

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


def choose(ports: Ports, host: str) -> Ports:
    """The ports with each 0 replaced by a free one.

    Raises:
        LaunchError: a port is taken, or given twice.
    """
    given = [port for _, port in ports.items() if port]
    for name, port in ports.items():
        if port and given.count(port) > 1:
            raise LaunchError(f"port {port} is given twice, once for {name}; each needs its own")
        if port and not is_free(host, port):
            raise LaunchError(
                f"port {port} is taken: another program listens on {host}:{port}; stop it, or "
                f"choose another port with --{name}-port"
            )
    picked: dict[str, int] = {}
    for name, port in ports.items():
        if not port:
            picked[name] = _any_free(host, {*given, *picked.values()})
    return replace(ports, **picked)


def _any_free(host: str, taken: set[int]) -> int:
    for _ in range(200):
        port = random.randint(_FROM, _TO)
        if port not in taken and is_free(host, port):
            return port
    raise LaunchError(f"no free port between {_FROM} and {_TO} on {host}")
