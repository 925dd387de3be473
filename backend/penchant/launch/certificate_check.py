"""Checks how long the certificates of a connection are valid, and for whom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from penchant.launch.certificate_dates import client_complaints
from penchant.launch.check import Check
from penchant.launch.errors import LaunchError
from penchant.launch.served_certificate import (
    ServedCertificate,
    fetch_certificate,
    host_and_port,
)
from penchant.launch.tls import NO_TLS, TlsFiles

_NAME = "certificates"


def check_certificates(
    target: str, files: TlsFiles, now: datetime | None = None
) -> Iterator[Check]:
    """Reports the dates of a server's certificate and of the client's files.

    Args:
        target: gRPC address, `host:port`.
        files: of the client; without any, nothing is checked.
        now: the time; None: the machine's.
    """
    if files == NO_TLS:
        return
    at = now or datetime.now(UTC)
    try:
        for text in client_complaints(files, at):
            yield Check(_NAME, "warn", text, "renew it, and start its clients again")
        served = fetch_certificate(target, files)
    except LaunchError as error:
        yield Check(_NAME, "fail", str(error), "name files of a client, see `penchant certs`")
        return
    if served is None:
        yield Check(_NAME, "fail", f"nothing speaks TLS on {target}", "serve with --tls")
        return
    host, _ = host_and_port(target) or ("", 0)
    yield check_served(served, host, at)


def check_served(served: ServedCertificate, host: str, now: datetime | None = None) -> Check:
    """Checks a server's certificate: its dates, and that it is for the host that clients name."""
    at = now or datetime.now(UTC)
    said = served.dates.complaint(at)
    if said:
        valid = served.dates.since <= at < served.dates.until
        advice = "renew it, and restart the server"
        return Check(_NAME, "warn" if valid else "fail", f"the server's {said}", advice)
    if not served.is_for(host):
        names = ", ".join(served.names) or "no name"
        found = f"the server's is for {names}, not for {host}"
        return Check(_NAME, "fail", found, "name the server as its certificate does, or renew it")
    return Check(_NAME, "ok", f"the server's is valid until {served.dates.until:%Y-%m-%d}")
