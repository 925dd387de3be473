"""The certificate that a server shows to whoever connects."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from dataclasses import dataclass

from cryptography import x509

from penchant.launch.certificate_dates import CertificateDates, dates_of
from penchant.launch.tls import TlsFiles

_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class ServedCertificate:
    """What a server's certificate says."""

    dates: CertificateDates
    names: tuple[str, ...]
    """The names and addresses that it stands for."""
    pem: bytes
    """The certificate itself."""

    def is_for(self, host: str) -> bool:
        """Whether it stands for a host: its name, its address, or a wildcard for its first part."""
        host = host.rstrip(".").lower()
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            names = {name.lower() for name in self.names}
            return host in names or f"*.{host.partition('.')[2]}" in names
        return str(address) in self.names


def host_and_port(target: str) -> tuple[str, int] | None:
    """The host and the port of a gRPC target; None: a socket, several addresses, or no target.

    >>> host_and_port("dns:///ranker:8001"), host_and_port("[::1]:80"), host_and_port("unix:/s")
    (('ranker', 8001), ('::1', 80), None)
    """
    text = target.removeprefix("dns:").rpartition("/")[2] if target.startswith("dns:") else target
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not host or "/" in host or "," in host:
        return None
    return host.removeprefix("[").removesuffix("]"), int(port)


def fetch_certificate(target: str, files: TlsFiles) -> ServedCertificate | None:
    """The certificate of a server, whatever it says and whoever signed it.

    Args:
        target: gRPC address, `host:port`.
        files: of the client; a certificate of its own is shown if the server asks for one.

    Returns:
        None if nothing speaks TLS there.
    """
    place = host_and_port(target)
    if place is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    named = files.named()
    if named.tls_cert is not None and named.tls_key is not None:
        context.load_cert_chain(named.tls_cert, named.tls_key)
    try:
        with (
            socket.create_connection(place, _TIMEOUT_S) as connection,
            context.wrap_socket(connection, server_hostname=place[0]) as channel,
        ):
            shown = channel.getpeercert(binary_form=True)
    except (OSError, ValueError):  # Refused, or no TLS; of a name that no host may have.
        return None
    if shown is None:
        return None
    found = x509.load_der_x509_certificate(shown)
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        texts = tuple(str(name.value) for name in names)
    except x509.ExtensionNotFound:
        texts = ()
    return ServedCertificate(dates_of([found]), texts, ssl.DER_cert_to_PEM_cert(shown).encode())
