"""Why a server gives no answer: nothing listens there, or it speaks another protocol.

gRPC names only the last address that it tried, so that a server which expects TLS on `localhost`
may look like one that is away, and Triton's HTTP port like a server whose models died.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence

from penchant.launch.check import Check
from penchant.launch.probe import NOBODY, ProbeResult
from penchant.launch.served_certificate import fetch_certificate, host_and_port
from penchant.launch.tls import NO_TLS, TlsFiles
from penchant_proto.no_connection import NO_CONNECTION

_TIMEOUT_S = 3.0


def is_unanswered(results: Sequence[ProbeResult]) -> bool:
    """Whether no model could be asked, since no connection came about."""
    return all(
        not result.alive
        and (result.text == NOBODY or any(text in result.text for text in NO_CONNECTION))
        for result in results
    )


def why_unanswered(target: str, files: TlsFiles) -> Check | None:
    """What listens on a target that took no connection; None: nothing.

    Args:
        target: gRPC address, `host:port`.
        files: of the client that got no connection.
    """
    place = host_and_port(target)
    if place is None or not _listens(place):
        return None
    speaks_tls = fetch_certificate(target, files) is not None
    if files == NO_TLS and speaks_tls:
        found = f"{target} expects TLS"
        return Check("server", "fail", found, "name the directory of a client with --tls")
    if speaks_tls:
        found = f"{target} speaks TLS, but takes no call"
        advice = "give --tls certificates of the server's authorities, valid now, and name its host"
        return Check("server", "fail", found, advice)
    found = f"what listens on {target} does not speak gRPC"
    advice = "name Triton's gRPC port (8001 by default; 8000 is HTTP, 8002 metrics)"
    if files != NO_TLS:
        return Check("server", "fail", f"{found} over TLS", f"{advice}, or leave out --tls")
    return Check("server", "fail", found, advice)


def _listens(place: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(place, _TIMEOUT_S):
            return True
    except (OSError, ValueError, OverflowError):  # Of a name or a port that none may have, too.
        return False
