"""Whether a gRPC target is spelt so that gRPC can reach it.

gRPC takes any text: a misspelt target looks like a server that is away, is tried again and again,
and a port above 65535 becomes another port.

>>> misspelt("localhost:8001"), misspelt("[::1]:8001"), misspelt("unix:/run/triton")
('', '', '')
>>> misspelt("http://localhost:8001")
'no scheme but those of gRPC (dns:, ipv4:, ...), as in localhost:8001'
>>> misspelt("localhost")
'host:port, as in localhost:8001'
"""

from __future__ import annotations

import re

from penchant_proto.local_targets import ADDRESSES, SOCKETS

_NETWORK = ("dns:", *ADDRESSES, "xds:", "google-c2p:")
_FOREIGN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")
_HOST = re.compile(r"[^\s:/?#\[\]@;,]+|\[[^\s\[\]/]+\]")
_LARGEST_PORT = 65535
_PORT = f"a port from 1 to {_LARGEST_PORT:,}"


def misspelt(target: str) -> str:
    """What a target should be instead, in words; empty if it may be right.

    Args:
        target: one target, without white space around it.
    """
    start = target.lower()
    host, _, port = target.rpartition(":")
    if start.startswith(_NETWORK):
        # What else stands there is for gRPC's resolver to judge.
        return _PORT if port.isdecimal() and int(port) > _LARGEST_PORT else ""
    if start.startswith(SOCKETS) or _is_place(target):
        return ""
    foreign = _FOREIGN.match(target)
    if foreign:
        place = foreign[1] if _is_place(foreign[1]) else "localhost:8001"
        return f"no scheme but those of gRPC (dns:, ipv4:, ...), as in {place}"
    if _HOST.fullmatch(host) and port.isdecimal():
        return _PORT
    if ":" in host and not host.startswith("["):
        return "host:port, with an IPv6 address in brackets, as in [::1]:8001"
    example = target if _HOST.fullmatch(target) else "localhost"
    return f"host:port, as in {example}:8001"


def _is_place(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(_HOST.fullmatch(host)) and port.isdecimal() and 0 < int(port) <= _LARGEST_PORT
