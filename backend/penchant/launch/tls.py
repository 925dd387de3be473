"""TLS: the files of a server and of its clients, checked before anything starts.

>>> TlsFiles().credentials() is None  # No file, no encryption.
True
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from penchant.launch.errors import LaunchError
from penchant_proto.tls_files import CA, CERT, KEY


@dataclass(frozen=True, slots=True)
class ChannelAccess:
    """How a health probe reaches a server."""

    credentials: grpc.ChannelCredentials | None = None
    """None: no encryption."""
    name: str = ""
    """The name to expect in the server's certificate; empty: the host of the target."""
    token: str = ""
    """Shown to a server that asks for tokens; empty: none."""

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """The metadata of every call."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()


PLAIN = ChannelAccess()
"""Without encryption."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The certificates of a client, as PEM files; none of them: no encryption."""

    tls_ca: Path | None = None
    """Authorities of the server's certificate, as a PEM file; makes the connection a TLS one."""
    tls_cert: Path | None = None
    """Certificate of this client, as a PEM file, where the server asks for one."""
    tls_key: Path | None = None
    """Key of this client's certificate, as a PEM file."""
    tls: Path | None = None
    """Directory with these files as ca.crt, tls.crt and tls.key, as `penchant certs` writes one for
    a client, instead of naming each."""

    def named(self) -> TlsFiles:
        """The same files, each by its own name.

        Raises:
            LaunchError: a directory is given beside single files, or holds no authority.
        """
        if self.tls is None:
            return self
        _check_alone(self.tls, self.tls_ca, self.tls_cert, self.tls_key)
        ca, cert, key = (self.tls / name for name in (CA, CERT, KEY))
        if not ca.exists():
            raise LaunchError(_not_a_layout(self.tls, CA, "client"))
        own = (cert, key) if cert.exists() or key.exists() else (None, None)
        return TlsFiles(ca, *own)

    def credentials(self) -> grpc.ChannelCredentials | None:
        """Credentials of a gRPC channel; None: no encryption.

        Raises:
            LaunchError: a file is missing, unreadable or no PEM, or does not fit the others.
        """
        if self.tls is not None:
            return self.named().credentials()
        if self.tls_ca is None and self.tls_cert is None and self.tls_key is None:
            return None
        if self.tls_ca is None:
            raise LaunchError(
                "tls-ca: got none, expected a file with the certificate of the server's "
                "authority; the system's own are in /etc/ssl/certs/ca-certificates.crt"
            )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _load_ca(context, self.tls_ca)
        if self.tls_cert is None and self.tls_key is None:
            return grpc.ssl_channel_credentials(self.tls_ca.read_bytes())
        cert, key = _load_pair(context, self.tls_cert, self.tls_key)
        return grpc.ssl_channel_credentials(
            self.tls_ca.read_bytes(), key.read_bytes(), cert.read_bytes()
        )


NO_TLS = TlsFiles()
"""No encryption."""


@dataclass(frozen=True, slots=True)
class ServerTls:
    """The certificate of a server, as PEM files."""

    cert: Path
    """The server's certificate, followed by those of the authorities between it and the root."""
    key: Path
    """Its key."""
    ca: Path | None = None
    """Authorities of the clients' certificates; None: a client needs none."""

    @classmethod
    def of(
        cls,
        directory: Path | None = None,
        cert: Path | None = None,
        key: Path | None = None,
        ca: Path | None = None,
    ) -> ServerTls | None:
        """The files of a directory, or those named one by one; None: no encryption.

        Args:
            directory: with tls.crt and tls.key, and ca.crt if clients need certificates.
            cert: instead of the directory.
            key: instead of the directory.
            ca: instead of the directory.

        Raises:
            LaunchError: a directory is given beside single files, or a file is missing.
        """
        if directory is not None:
            _check_alone(directory, ca, cert, key)
            for name in (CERT, KEY):
                if not (directory / name).exists():
                    raise LaunchError(_not_a_layout(directory, name, "server"))
            clients = directory / CA
            return cls(directory / CERT, directory / KEY, clients if clients.exists() else None)
        if cert is None and key is None and ca is None:
            return None
        if cert is None or key is None:
            missing = "tls-cert" if cert is None else "tls-key"
            raise LaunchError(f"{missing}: got none, expected a PEM file, as the server speaks TLS")
        return cls(cert, key, ca)

    def arguments(self) -> list[str]:
        """Triton's arguments."""
        files = [
            f"--grpc-server-cert={self.cert.absolute()}",
            f"--grpc-server-key={self.key.absolute()}",
        ]
        if self.ca is None:
            return ["--grpc-use-ssl=true", *files]
        return ["--grpc-use-ssl-mutual=true", *files, f"--grpc-root-cert={self.ca.absolute()}"]

    def probe_access(self) -> ChannelAccess:
        """What the health probe on this machine needs: it trusts this very certificate.

        A trial handshake in memory checks the files. Where the server asks its clients for
        certificates, the probe shows the server's own.

        Raises:
            LaunchError: a file is missing, unreadable or no PEM, does not fit the others, or the
                clients' authority does not know the server's certificate.
        """
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _load_pair(server, self.cert, self.key)
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname = False
        client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        _load_ca(client, self.cert)
        if self.ca is not None:
            _load_ca(server, self.ca)
            server.verify_mode = ssl.CERT_REQUIRED
            _load_pair(client, self.cert, self.key)
        try:
            name = _handshake(server, client)
        except ssl.SSLError as error:
            raise LaunchError(
                f"tls-cert: got {self.cert}, expected one that is valid now"
                + (
                    f", also as a client's, for an authority in {self.ca}: the health check of "
                    "`penchant serve` shows it to the server; have that authority sign it for "
                    "both uses"
                    if self.ca
                    else "; renew it"
                )
                + f" ({error.reason})"
            ) from None
        pem = self.cert.read_bytes()
        pair = (self.key.read_bytes(), pem) if self.ca is not None else (None, None)
        return ChannelAccess(grpc.ssl_channel_credentials(pem, *pair), name)


def _check_alone(directory: Path, *files: Path | None) -> None:
    if any(file is not None for file in files):
        raise LaunchError(
            f"tls: got the directory {directory} and single files, expected either --tls, or "
            "--tls-ca, --tls-cert and --tls-key"
        )


def _not_a_layout(directory: Path, missing: str, side: str) -> str:
    inner = directory / side
    hint = f"; perhaps {inner}?" if inner.is_dir() else ""
    return (
        f"tls: got {directory}, which holds no {missing}, expected a directory as `penchant certs` "
        f"writes it for a {side}{hint}"
    )


def _load_ca(context: ssl.SSLContext, path: Path) -> None:
    try:
        context.load_verify_locations(path)
    except (OSError, ssl.SSLError) as error:
        raise LaunchError(_unreadable("tls-ca", path, "certificates", error)) from None


def _load_pair(context: ssl.SSLContext, cert: Path | None, key: Path | None) -> tuple[Path, Path]:
    if cert is None or key is None:
        given, missing = ("tls-key", "tls-cert") if cert is None else ("tls-cert", "tls-key")
        raise LaunchError(f"{missing}: got none, expected a file, as {given} is given")
    for name, path in (("tls-cert", cert), ("tls-key", key)):
        try:
            path.read_bytes()
        except OSError as error:
            raise LaunchError(_unreadable(name, path, "a file", error)) from None
    try:
        # Without this callback, a key with a passphrase would ask for it on the terminal.
        context.load_cert_chain(cert, key, password=lambda: "")
    except (OSError, ssl.SSLError, ValueError) as error:
        raise LaunchError(
            f"tls-cert, tls-key: got {cert} and {key}, expected a certificate and its own key, "
            f"without a passphrase, as PEM ({_reason(error)})"
        ) from None
    return cert, key


def _unreadable(name: str, path: Path, expected: str, error: Exception) -> str:
    return f"{name}: got {path}, expected {expected} as PEM ({_reason(error)})"


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or str(error)
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> str:
    """Lets both sides shake hands in memory; returns a name in the server's certificate."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(to_client, to_server, server_side=False)
    far = server.wrap_bio(to_server, to_client, server_side=True)
    sides = [near, far]
    for _ in range(10):  # A handshake takes three turns.
        for side in list(sides):
            try:
                side.do_handshake()
                sides.remove(side)
            except ssl.SSLWantReadError:
                continue
    found: Any = (near.getpeercert() or {}).get("subjectAltName", ())
    kept = [str(name) for kind, name in found if kind in ("DNS", "IP Address")]
    if not kept:
        raise LaunchError(
            "tls-cert: got a certificate without a name (subjectAltName), expected one with the "
            "host name that clients use"
        )
    return kept[0].replace("*", "any", 1)
