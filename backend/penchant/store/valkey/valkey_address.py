"""The address of a store on Valkey: where it is, who calls, and how long a call may take.

    valkey://[user:password@]host[:port][,host[:port]…]/NAMESPACE[?name=value&…]

`valkeys://` is the same over TLS.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from penchant.domain.errors import ConfigError
from penchant.store.address import check_namespace, parts_of
from penchant.system.redacted_address import redacted

SCHEMES = ("valkey", "valkeys")
PORT = 6379

_FORM = "valkey://[user:password@]host:port[,host:port…]/NAMESPACE"
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:\s]+)(?::([0-9]{0,5}))?")
_OPTIONS = ("timeout_ms", "wait", "wait_ms", "ca", "cert", "key")


@dataclass(frozen=True, slots=True)
class ValkeyAddress:
    """A store's address, taken apart."""

    hosts: tuple[tuple[str, int], ...]
    """Some of the servers, host and port; a cluster says itself which others it has."""
    namespace: str
    """The store's name: stores of several names share a server, and nothing else."""
    user: str = ""
    password: str = field(default="", repr=False)
    timeout_ms: int = 1000
    """A call fails after this long without an answer."""
    wait: int = 0
    """Replicas that must have a commit before it counts as done."""
    wait_ms: int = 500
    """How long a commit waits for them, 1 or more."""
    tls: bool = False
    ca: str = ""
    """File with the certificates of authorities; empty: the machine's own."""
    cert: str = ""
    """File with the certificate that this side shows; empty: none."""
    key: str = ""
    """File with its private key."""


def parse_address(address: str) -> ValkeyAddress:
    """Takes an address apart.

    Raises:
        ConfigError: it has another form; the message never holds the password.

    >>> parsed = parse_address("valkey://ann:s%40fe@one:7000,two/shop?wait=1")
    >>> parsed.hosts, parsed.namespace, parsed.user, parsed.password, parsed.wait
    ((('one', 7000), ('two', 6379)), 'shop', 'ann', 's@fe', 1)
    """
    parts = parts_of(address)
    if parts.engine not in SCHEMES or not parts.namespace:
        raise _wrong("the address", redacted(address), _FORM)
    check_namespace(parts.namespace)
    user, _, password = parts.credentials.partition(":")
    options = dict(parts.options)
    unknown = options.keys() - set(_OPTIONS)
    if unknown:
        raise _wrong("an option", min(unknown), f"one of {', '.join(_OPTIONS)}")
    if len(options) < len(parts.options):
        raise _wrong("an option", "one twice", "each once")
    ca, cert, key = (options.get(name, "") for name in ("ca", "cert", "key"))
    if (ca or cert or key) and parts.engine != "valkeys":
        raise _wrong("ca, cert or key", "valkey://", "valkeys://, which is encrypted")
    if bool(cert) != bool(key):
        raise _wrong("cert and key", "one of both", "both, or none")
    wait = _number("wait", options.get("wait", "0"))
    return ValkeyAddress(
        hosts=tuple([_host(server) for server in parts.hosts.split(",")]),
        namespace=parts.namespace,
        user=unquote(user),
        password=unquote(password),
        timeout_ms=_number("timeout_ms", options.get("timeout_ms", "1000"), least=1),
        wait=wait,
        # To the servers, 0 means to wait for ever.
        wait_ms=_number("wait_ms", options.get("wait_ms", "500"), least=min(wait, 1)),
        tls=parts.engine == "valkeys",
        ca=ca,
        cert=cert,
        key=key,
    )


def _host(server: str) -> tuple[str, int]:
    match = _HOST.fullmatch(server)
    port = int(match[2] or PORT) if match else 0
    if match is None or not 0 < port < 1 << 16 or not _can_be_looked_up(match[1]):
        raise _wrong("a server", server, "host:port, and [address]:port for IPv6")
    return match[1].strip("[]"), port


def _can_be_looked_up(host: str) -> bool:
    """Whether the name has a form in ASCII, which the library asks for with an error of its own."""
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return host.isprintable()


def _number(name: str, text: str, least: int = 0) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < least:
        raise _wrong(name, text, f"a whole number{f', {least} or more' if least else ''}")
    return int(text)


def _wrong(what: str, got: str, expected: str) -> ConfigError:
    return ConfigError(f"store: {what}: got {got!r}, expected {expected}")
