"""Connections to single servers, kept for the next call, and what servers refuse in words."""

from __future__ import annotations

import logging
import math
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, cast

from penchant.domain.errors import StoreUnavailable
from penchant.store.valkey.tls_trouble import check_files, reason_of_refusal
from penchant.store.valkey.valkey_address import ValkeyAddress
from penchant.system.optional_package import needs_extra

log = logging.getLogger("penchant")

_IDLE = 32
"""Idle connections kept, a node."""

_REMEMBERED_S = 10.0
"""For so long a refusal of TLS explains tries that are cut off."""

Node = tuple[str, int]
"""Host and port."""


class ServerLink(Protocol):
    """The client library's connection, as far as it is used here."""

    def connect(self) -> None:
        """Connects and logs in."""
        ...

    def disconnect(self) -> None:
        """Closes the socket."""
        ...

    def pack_commands(self, commands: Iterable[Sequence[bytes]]) -> list[bytes]:
        """Commands in the protocol's form."""
        ...

    def send_packed_command(self, command: list[bytes]) -> None:
        """Sends commands in the protocol's form."""
        ...

    def read_response(self) -> Any:
        """The next reply; raises the library's errors."""
        ...


class ServerLinks:
    """Connections to all servers of an address, each used by one thread at a time."""

    def __init__(self, address: ValkeyAddress) -> None:
        """Connects to nothing yet.

        Raises:
            ConfigError: the client library is not installed, or a file that the address names
                can't be used.
        """
        with needs_extra("a store on Valkey", "valkey"):
            import valkey.connection
            import valkey.exceptions
        self._late = valkey.exceptions.TimeoutError
        self._connection = (
            valkey.connection.SSLConnection if address.tls else valkey.connection.Connection
        )
        self._options: dict[str, Any] = {
            "username": address.user or None,
            "password": address.password or None,
            "socket_keepalive": True,
            "client_name": "penchant",
            "lib_name": None,
            "lib_version": None,
        }
        if address.tls:
            check_files(address)
            self._options |= {
                "ssl_ca_certs": address.ca or None,
                "ssl_certfile": address.cert or None,
                "ssl_keyfile": address.key or None,
                "ssl_check_hostname": True,
            }
        self._idle: defaultdict[Node, deque[ServerLink]] = defaultdict(deque)
        self._refusals: dict[Node, tuple[str, float]] = {}
        """What TLS to a node failed at, the last time that it was called, and when that was."""
        self._closed = False

    def take(self, node: Node, deadline: float) -> ServerLink:
        """A connection, idle or new; raises the library's errors."""
        try:
            link = self._idle[node].pop()
        except IndexError:
            host, port = node
            left_s = max(0.01, deadline - time.monotonic())
            limits = {"socket_timeout": left_s, "socket_connect_timeout": left_s}
            made = self._connection(host=host, port=port, **limits, **self._options)
            link = cast("ServerLink", made)
            try:
                link.connect()
            except Exception as error:
                # A last try may be too short to hear again why the others were refused.
                _, noted_s = self._refusals.get(node, ("", -math.inf))
                known = time.monotonic() - noted_s < _REMEMBERED_S
                if not (isinstance(error, self._late) and known):
                    self._note_refusal(node, reason_of_refusal(error))
                raise
            self._note_refusal(node, "")
        self.limit(link, deadline)
        return link

    def refusal(self, nodes: Iterable[Node]) -> str:
        """What TLS fails at, with the first of some nodes where it does; empty: with none."""
        for node in nodes:
            if node in self._refusals:
                return f"store: {names_of([node])}: {self._refusals[node][0]}"
        return ""

    def _note_refusal(self, node: Node, reason: str) -> None:
        if reason:
            self._refusals[node] = reason, time.monotonic()
        else:
            self._refusals.pop(node, None)

    def give(self, node: Node, link: ServerLink) -> None:
        """Keeps a connection, all of whose replies were read."""
        idle = self._idle[node]
        if self._closed or len(idle) >= _IDLE:
            link.disconnect()
        else:
            idle.append(link)

    def drop(self, node: Node) -> None:
        """Closes the idle connections to a node, which are probably lost as well."""
        idle = self._idle[node]
        while idle:
            idle.pop().disconnect()

    def limit(self, link: ServerLink, deadline: float) -> None:
        """Lets reads and writes last until a time; the library knows one limit for all of them."""
        held = getattr(link, "_sock", None)
        if held is not None:
            held.settimeout(max(0.001, deadline - time.monotonic()))

    def close(self) -> None:
        """Closes all that are idle now, and the others as they are given back."""
        self._closed = True
        for node in list(self._idle):
            self.drop(node)


def names_of(nodes: Iterable[Node]) -> str:
    """Servers as they are shown.

    >>> names_of([("one", 7000), ("two", 7001)])
    'one:7000, two:7001'
    """
    return ", ".join(f"{host}:{port}" for host, port in nodes)


_REMEDIES = {
    "maxmemory": "is full: raise maxmemory, or forget users",
    "MISCONF": "can't write to its disk: make room there",
    "NOREPLICAS": "has fewer replicas than min-replicas-to-write asks for",
    "NOPERM": "does not let this user call what a store needs: see the guide of the store",
    "ermission": "does not let this user call what a store needs: see the guide of the store",
    "NOAUTH": "asks for a user and a password: put them into the store's address",
    "uthentication required": "asks for a user and a password: put them into the store's address",
    "WRONGPASS": "does not know this user and password",
    "nvalid username": "does not know this user and password",
}


def refusal(error: Exception) -> str:
    """What a server refused, in a sentence that says what to do.

    >>> refusal(ValueError("OOM command not allowed when used memory > 'maxmemory'."))
    'store: the server is full: raise maxmemory, or forget users'
    """
    text = str(error)
    for sign, remedy in _REMEDIES.items():
        if sign in text:
            return f"store: the server {remedy}"
    log.error("the store's server answers: %s", text)
    return f"store: the server refused a command: {text.partition(' ')[0][:40]}"


def no_answer(timeout_ms: int) -> StoreUnavailable:
    """The error of a command whose server does not answer."""
    return StoreUnavailable(
        f"store: a server of it did not answer within {timeout_ms} ms; send the call again",
        silent=True,
    )


def fewer_text(wait: int, wait_ms: int) -> str:
    """What is said of a write that too few replicas have."""
    return (
        f"store: fewer than {wait} replicas had the write within {wait_ms} ms, so that it may be "
        "kept or not; send the call again"
    )
