"""Channel options that keep calls to this machine away from proxies.

gRPC sends a call through the proxy that the environment names (`grpc_proxy`, `https_proxy`,
`http_proxy`), even to 127.0.0.1, unless `no_proxy` exempts the host.

>>> proxy_options("localhost:8001")
[('grpc.enable_http_proxy', 0)]
>>> proxy_options("ranker.example.com:8001")
[]
"""

from __future__ import annotations

import ipaddress
from urllib.parse import unquote

SOCKETS = ("unix:", "unix-abstract:", "vsock:")
"""Schemes of targets that are sockets of this machine, without a host."""
ADDRESSES = ("ipv4:", "ipv6:")
"""Schemes of targets that are lists of addresses."""


def proxy_options(target: str) -> list[tuple[str, int]]:
    """GRPC channel options: none for a remote target, no proxy for a local one.

    Args:
        target: `host:port`, or any other target of gRPC.
    """
    return [("grpc.enable_http_proxy", 0)] if is_local(target) else []


def is_local(target: str) -> bool:
    """Whether a gRPC target is on this machine: loopback, `localhost`, or a socket without a host.

    No name is looked up, so another name of this machine counts as remote.

    >>> [is_local(target) for target in ("[::1]:8001", "dns:///127.0.0.2:1", "unix:/run/triton")]
    [True, True, True]
    """
    target = unquote(target)
    scheme = target.partition(":")[0].lower() + ":"
    if scheme in SOCKETS:
        return True
    if scheme in ADDRESSES:
        return all(map(_is_local_host, target[len(scheme) :].lstrip("/").split(",")))
    if scheme == "dns:":
        # dns://authority/host:port, dns:///host:port or dns:host:port
        target = target[len(scheme) :]
        target = target[2:].partition("/")[2] if target.startswith("//") else target
    return _is_local_host(target)


def _is_local_host(address: str) -> bool:
    if address.startswith("["):
        host = address[1:].partition("]")[0]
    elif address.count(":") > 1:
        host = address  # A bare IPv6 address, without a port.
    else:
        host = address.partition(":")[0]
    host = host.partition("%")[0].rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    ip = mapped or ip
    # Linux connects to the unspecified address (0.0.0.0, ::) by loopback.
    return ip.is_loopback or ip.is_unspecified
