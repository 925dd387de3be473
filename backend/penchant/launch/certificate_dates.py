"""How long certificates are valid, and whether that is long enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from penchant.launch.errors import LaunchError
from penchant.launch.tls import ServerTls, TlsFiles

SOON = timedelta(days=14)
"""A certificate is told to expire soon once this much is left of it, or a fifth of its life."""


@dataclass(frozen=True, slots=True)
class CertificateDates:
    """The time from which, and until which, a certificate is valid; both in UTC."""

    since: datetime
    until: datetime

    def left(self, now: datetime) -> timedelta:
        """The time until it expires; negative once it has."""
        return self.until - now

    def complaint(self, now: datetime) -> str:
        """Whether it is invalid, or will be soon, in words; empty: neither.

        >>> day = timedelta(days=1)
        >>> now = datetime(2030, 1, 31, tzinfo=UTC)
        >>> CertificateDates(now - 30 * day, now + 60 * day).complaint(now)
        ''
        >>> CertificateDates(now - 30 * day, now + 5 * day).complaint(now)
        'expires on 2030-02-05, in 5 days'
        >>> CertificateDates(now - 30 * day, now - day).complaint(now)
        'expired on 2030-01-30'
        """
        left = self.left(now)
        if now < self.since:
            return f"is not valid before {self.since:%Y-%m-%d %H:%M} UTC"
        if left <= timedelta():
            return f"expired on {self.until:%Y-%m-%d}"
        if left > min(SOON, (self.until - self.since) / 5):
            return ""
        when = f"{left.days} days" if left.days > 1 else f"{left.total_seconds() / 3600:.0f} hours"
        return f"expires on {self.until:%Y-%m-%d}, in {when}"


def dates_of(certificates: Sequence[x509.Certificate]) -> CertificateDates:
    """The dates while all of some certificates are valid."""
    return CertificateDates(
        max(one.not_valid_before_utc for one in certificates),
        min(one.not_valid_after_utc for one in certificates),
    )


def complaints(
    path: Path | None, now: datetime | None = None, *, any_of: bool = False
) -> list[str]:
    """A sentence if the certificates of a PEM file are invalid now, or some will be soon.

    Args:
        path: None stands for no file.
        now: the time; None: the machine's.
        any_of: whether one valid certificate is enough, as in a bundle of authorities, which holds
            old ones beside new ones.

    Raises:
        LaunchError: the file can't be read, or holds no certificate.
    """
    if path is None:
        return []
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise LaunchError(f"{path}: {error.strerror or error}") from None
    except ValueError:
        raise LaunchError(f"{path}: got no certificate, expected one or more as PEM") from None
    if any_of:
        found = [max(found, key=lambda one: one.not_valid_after_utc)]
    said = dates_of(found).complaint(now or datetime.now(UTC))
    return [f"{path} {said}"] if said else []


def client_complaints(files: TlsFiles, now: datetime | None = None) -> list[str]:
    """`complaints` about the files of a client."""
    named = files.named()
    return complaints(named.tls_cert, now) + complaints(named.tls_ca, now, any_of=True)


def server_complaints(files: ServerTls, now: datetime | None = None) -> list[str]:
    """`complaints` about the files of a server."""
    return complaints(files.cert, now) + complaints(files.ca, now, any_of=True)
