"""TLS of a client: PEM files by name, or a directory as `penchant certs` writes it."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc

from penchant_proto.tls_files import CA, CERT, KEY
from penchant_sdk._arguments import shown
from penchant_sdk.errors import InvalidRequest

FilePath = str | os.PathLike[str]
"""A path as text, or as `pathlib.Path`."""


@dataclass(frozen=True, slots=True)
class Tls:
    """The certificates of a client, as PEM files; read when the client is made.

    >>> Tls(ca="/etc/app/ca.crt")
    Tls(ca='/etc/app/ca.crt', cert=None, key=None)
    """

    ca: FilePath
    """Authorities that may have signed the server's certificate."""
    cert: FilePath | None = None
    """Certificate of this client, where the server asks for one; needs `key`."""
    key: FilePath | None = None
    """Key of this client's certificate, without a passphrase."""

    @classmethod
    def of(cls, directory: FilePath) -> Tls:
        """The files of a directory: `ca.crt` and, where there are any, `tls.crt` and `tls.key`.

        A mounted Kubernetes secret of type `kubernetes.io/tls` is such a directory, and so is one
        that `penchant certs` wrote for a client.
        """
        cert, key = Path(directory) / CERT, Path(directory) / KEY
        own = (cert, key) if cert.exists() or key.exists() else (None, None)
        return cls(Path(directory) / CA, *own)

    def credentials(self) -> grpc.ChannelCredentials:
        """Credentials of a gRPC channel.

        Raises:
            InvalidRequest: a file is missing, unreadable or no PEM, or does not fit the others.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(self.ca)
            if self.cert is None and self.key is None:
                return grpc.ssl_channel_credentials(Path(self.ca).read_bytes())
            if self.cert is None or self.key is None:
                missing = "cert" if self.cert is None else "key"
                raise InvalidRequest(f"tls: got no {missing}, expected cert and key together")
            # Without this callback, a key with a passphrase would ask for it on the terminal.
            context.load_cert_chain(self.cert, self.key, password=lambda: "")
            files = [Path(path).read_bytes() for path in (self.ca, self.key, self.cert)]
        except (OSError, ValueError) as error:
            raise InvalidRequest(
                f"tls: got {self._paths()}, expected PEM files of authorities and, where the "
                "server asks for one, of a certificate with its own key, without a passphrase "
                f"({_reason(error)})"
            ) from None
        return grpc.ssl_channel_credentials(*files)

    def _paths(self) -> str:
        return ", ".join(str(path) for path in (self.ca, self.cert, self.key) if path is not None)


def channel_credentials(
    tls: Tls | FilePath | None, credentials: grpc.ChannelCredentials | None
) -> grpc.ChannelCredentials | None:
    """The credentials of a client's channel; None: no encryption.

    Raises:
        InvalidRequest: both are given, `tls` is of another type, or its files can't be used.
    """
    if tls is None:
        return credentials
    if credentials is not None:
        raise InvalidRequest("tls, credentials: got both, expected one of them")
    if isinstance(tls, Tls):
        return tls.credentials()
    if isinstance(tls, str | os.PathLike):
        return Tls.of(tls).credentials()
    raise InvalidRequest(f"tls: got {shown(tls)}, expected a Tls or a directory")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return error.reason or str(error)
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
