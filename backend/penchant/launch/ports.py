"""The three ports of a server."""

from __future__ import annotations

import random
import socket
from dataclasses import dataclass, replace

from penchant.launch.errors import LaunchError

_FROM, _TO = 20000, 32000
"""Below the range that the system gives to outgoing connections, which come and go."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a server listens; 0: any free port."""

    grpc: int = 8001
    http: int = 8000
    metrics: int = 8002

    def items(self) -> tuple[tuple[str, int], ...]:
        """Name and port of each."""
        return ("grpc", self.grpc), ("http", self.http), ("metrics", self.metrics)


FREE = Ports(0, 0, 0)
"""Any three free ports."""


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now.

    Raises:
        LaunchError: the host is no address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
    except OSError as error:
        raise LaunchError(f"host: got {host!r}, which can't be resolved: {error}") from error
    with socket.socket(family, kind, protocol) as probe:
        # As Triton does it: ports of connections that just ended count as free.
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
        LaunchError: a port is taken, or given twice; the text names it.
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
