"""Makes an authority for development, and certificates of a server and its clients.

One directory for each party, with the names that `penchant_proto.tls_files` lists, so that the
directory can be copied as it is and no party gets the key of another:

    DIR/ca/       ca.crt, ca.key: the authority; its key signs more, so keep it off the servers
    DIR/server/   tls.crt, tls.key, ca.crt
    DIR/NAME/     the same, for the client of that name
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from cyclopts import Parameter
from cyclopts.validators import Number

from penchant.launch.certificate_dates import CertificateDates, dates_of
from penchant.launch.errors import LaunchError
from penchant.system.durable_file import whole_file
from penchant.system.option_types import Flag, Repeated, shows
from penchant.system.whole_directory import check_makeable
from penchant_proto.tls_files import CA, CERT, KEY

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
"""The names of a server that only its own machine calls."""

AUTHORITY = "ca"
SERVER = "server"
AUTHORITY_KEY = "ca.key"

_AUTHORITY_DAYS = 730
_SLACK = timedelta(minutes=5)
"""Certificates are valid from a little earlier on, for machines whose clocks are behind."""
_CLIENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}$)(\*\.)?{_LABEL}(\.{_LABEL})*")


@dataclass(frozen=True, slots=True)
class CertsRequest:
    """The parties to make certificates for."""

    output: Path = Path("certs")
    """Directory for ca/, server/ and a directory for each client."""
    hosts: Annotated[
        Repeated,
        Parameter(
            name="--host",
            show_default=shows(f"{', '.join(LOCAL_NAMES)}; those of the certificate that is there"),
        ),
    ] = ()
    """A name or an address by which clients call the server; repeatable."""
    clients: Annotated[Repeated, Parameter(name="--client", show_default=shows("client"))] = (
        "client",
    )
    """Name of a client, and of its directory; repeatable."""
    days: Annotated[int, Parameter(validator=Number(gte=1, lte=825))] = 90
    """Days for which the certificates are valid."""
    replace: Flag = False
    """Renew certificates that are there; the authority that is there signs them."""


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A certificate that was written, or kept."""

    directory: Path
    """The directory of its files."""
    names: tuple[str, ...]
    """The names and addresses that it stands for."""
    until: datetime
    """When it expires, in UTC."""
    kept: bool = False
    """Whether it was there before, and was left alone."""


def make_certs(request: CertsRequest) -> list[IssuedCertificate]:
    """Makes what is missing: an authority, then the server's certificate and the clients'.

    An authority that is there signs the others. A certificate that is there is kept, unless
    `replace` is set. All files have mode 0600, their directories 0700.

    Returns:
        What was written or kept; the authority first.

    Raises:
        ConfigError: the output is no directory.
        LaunchError: a name is none, the server's certificate that is there is for other names, or
            the authority that is there can't be read or has expired.
        OSError: a file can't be written.
    """
    check_makeable(request.output)
    for host in request.hosts:
        if _address(host) is None and not _HOST.fullmatch(host):
            raise LaunchError(
                f"host: got {host!r}, expected a name such as ranker.example.com, or an address"
            )
    for name in request.clients:
        if not _CLIENT.fullmatch(name) or name in (AUTHORITY, SERVER):
            raise LaunchError(
                f"client: got {name!r}, expected up to 63 letters, digits, dots, hyphens and "
                f"underscores, other than {AUTHORITY!r} and {SERVER!r}"
            )
    return list(_made(request))


def _made(request: CertsRequest) -> Iterator[IssuedCertificate]:
    there = _names_in(request.output / SERVER / CERT)
    hosts = request.hosts or there or LOCAL_NAMES
    if there and set(hosts) != set(there) and not request.replace:
        raise LaunchError(
            f"host: got {', '.join(hosts)}, but {request.output / SERVER} has a certificate for "
            f"{', '.join(there)}; --replace writes it anew, another --output leaves it alone"
        )
    place = request.output / AUTHORITY
    known = (place / AUTHORITY_KEY).exists() or (place / CA).exists()
    if known:
        authority, authority_key = _read_authority(place)
    else:
        authority_key = ec.generate_private_key(ec.SECP256R1())
        authority = _new_authority(authority_key)
        _write(place / AUTHORITY_KEY, _pem_of_key(authority_key))
        _write(place / CA, _pem_of(authority))
    yield IssuedCertificate(place, (), authority.not_valid_after_utc, known)
    for name, names in ((SERVER, hosts), *((name, (name,)) for name in request.clients)):
        directory = request.output / name
        if (directory / CERT).exists() and not request.replace:
            yield IssuedCertificate(directory, names, _read(directory / CERT)[0].until, True)
            continue
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _signed(name, names, key, authority, authority_key, request.days)
        _write(directory / KEY, _pem_of_key(key))
        _write(directory / CERT, _pem_of(certificate))
        _write(directory / CA, _pem_of(authority))
        yield IssuedCertificate(directory, names, certificate.not_valid_after_utc)


def _names_in(path: Path) -> tuple[str, ...]:
    """The names and addresses that a certificate stands for; none without a file."""
    return _read(path)[1] if path.exists() else ()


def _read(path: Path) -> tuple[CertificateDates, tuple[str, ...]]:
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
        names = found[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound) as error:
        raise LaunchError(f"{path}: can't be read as a certificate ({error})") from None
    return dates_of(found), tuple(str(name.value) for name in names)


def _read_authority(place: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    try:
        authority = x509.load_pem_x509_certificate((place / CA).read_bytes())
        key = serialization.load_pem_private_key((place / AUTHORITY_KEY).read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise LaunchError(
            f"{place}: the authority can't be read ({error}); name another --output, or remove the "
            "directory for a new authority, which then all parties need"
        ) from None
    if (
        not isinstance(key, ec.EllipticCurvePrivateKey)
        or key.public_key() != authority.public_key()
    ):
        raise LaunchError(f"{place}: {AUTHORITY_KEY} is not the key of {CA}; name another --output")
    if authority.not_valid_after_utc <= datetime.now(UTC):
        raise LaunchError(
            f"{place}: the authority expired on {authority.not_valid_after_utc:%Y-%m-%d}; remove "
            "the directory for a new one, which then all parties need"
        )
    return authority, key


def _new_authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    now = datetime.now(UTC).replace(microsecond=0)
    name = _subject(f"Penchant development authority {now:%Y-%m-%d %H:%M:%S}")
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SLACK)
        .not_valid_after(now + timedelta(days=_AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return builder.sign(key, hashes.SHA256())


def _signed(
    name: str,
    names: tuple[str, ...],
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    days: int,
) -> x509.Certificate:
    now = datetime.now(UTC).replace(microsecond=0)
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH]
    if name == SERVER:  # Its health check shows the server's own certificate as a client's.
        uses.insert(0, ExtendedKeyUsageOID.SERVER_AUTH)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_subject(name))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(max(now - _SLACK, authority.not_valid_before_utc))
        .not_valid_after(min(now + timedelta(days=days), authority.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(x509.SubjectAlternativeName(list(map(_general_name, names))), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
    )
    return builder.sign(authority_key, hashes.SHA256())


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:

    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _pem_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _pem_of_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, content: bytes) -> None:
    with whole_file(path, private=True) as file:
        file.write(content)
