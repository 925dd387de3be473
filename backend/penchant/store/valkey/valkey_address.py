"""The address of a store on Valkey: where it is, who calls, and how long a call may take.

    valkey://[user:password@]host[:port][,host[:port]…]/NAMESPACE[?name=value&…]

`valkeys://` is the same over TLS.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from penchant.domain.errors import ConfigError

SCHEMES = ("valkey", "valkeys")
PORT = 6379

_FORM = "valkey://[user:password@]host:port[,host:port…]/NAMESPACE"
_NAMESPACE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_OPTIONS = ("timeout_ms", "wait", "wait_ms", "ca", "cert", "key")


@dataclass(frozen=True, slots=True)
class ValkeyAddress:
    """A store's address, taken apart."""

    hosts: tuple[tuple[str, int], ...]
    """Some of the servers, host and port; a cluster says itself which others it has."""
    namespace: str
    """The store's name: stores of several names share a server, and nothing else."""
    user: str = ""
    password: str = ""
    timeout_ms: int = 1000
    """A call fails after this long without an answer."""
    wait: int = 0
    """Replicas that must have a commit before it counts as done."""
    wait_ms: int = 500
    """How long a commit waits for them."""
    tls: bool = False
    ca: str = ""
    """File with the certificates of authorities; empty: the machine's own."""
    cert: str = ""
    """File with the certificate that this side shows; empty: none."""
    key: str = ""
    """File with its private key."""


def is_valkey(address: str) -> bool:
    """Whether a store's address names this engine.

    >>> is_valkey("valkeys://db.example/shop"), is_valkey("lmdb:/srv/store")
    (True, False)
    """
    return address.partition("://")[0] in SCHEMES and "://" in address


def parse_address(address: str) -> ValkeyAddress:
    """Takes an address apart.

    Raises:
        ConfigError: it has another form; the message never holds the password.

    >>> parsed = parse_address("valkey://ann:s%40fe@one:7000,two/shop?wait=1")
    >>> parsed.hosts, parsed.namespace, parsed.user, parsed.password, parsed.wait
    ((('one', 7000), ('two', 6379)), 'shop', 'ann', 's@fe', 1)
    """
    parts = urlsplit(address)
    namespace = unquote(parts.path.strip("/")).replace("/", ":")
    if parts.scheme not in SCHEMES or not _NAMESPACE.fullmatch(namespace):
        raise _wrong("the address", without_password(address), _FORM)
    credentials, _, servers = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = options.keys() - set(_OPTIONS)
    if unknown:
        raise _wrong("an option", min(unknown), f"one of {', '.join(_OPTIONS)}")
    ca, cert, key = (options.get(name, "") for name in ("ca", "cert", "key"))
    if (ca or cert or key) and parts.scheme != "valkeys":
        raise _wrong("ca, cert or key", "valkey://", "valkeys://, which is encrypted")
    if bool(cert) != bool(key):
        raise _wrong("cert and key", "one of both", "both, or none")
    return ValkeyAddress(
        hosts=tuple([_host(server) for server in servers.split(",")]),
        namespace=namespace,
        user=unquote(user),
        password=unquote(password),
        timeout_ms=_number("timeout_ms", options.get("timeout_ms", "1000")),
        wait=_number("wait", options.get("wait", "0")),
        wait_ms=_number("wait_ms", options.get("wait_ms", "500")),
        tls=parts.scheme == "valkeys",
        ca=ca,
        cert=cert,
        key=key,
    )


def without_password(address: str) -> str:
    """An address as it may be shown and logged.

    >>> without_password("valkey://ann:secret@one:7000/shop")
    'valkey://ann:***@one:7000/shop'
    """
    return re.sub(r"(://[^:@/]*):[^@]*@", r"\1:***@", address)


def _host(server: str) -> tuple[str, int]:
    host, _, port = server.rpartition(":") if re.search(r":\d*$", server) else (server, "", "")
    number = _number("port", port) if port else PORT
    if not host or not 0 < number < 1 << 16:
        raise _wrong("a server", server, "host:port")
    return host.strip("[]"), number


def _number(name: str, text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text) or (name == "timeout_ms" and not int(text)):
        raise _wrong(name, text, "a whole number")
    return int(text)


def _wrong(what: str, got: str, expected: str) -> ConfigError:
    return ConfigError(f"store: {what}: got {got!r}, expected {expected}")
