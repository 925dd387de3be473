"""A lease in the store: held by one process at a time, for as long as it renews it.

It expires by the clock of the store's server, so that the clocks of the holders do not matter. Who
is stopped for longer than the lease lasts may still believe that it holds it: a lease saves work
that would be done twice, and guards nothing.
"""

from __future__ import annotations

import secrets
import threading
from typing import Any

from penchant.domain.errors import StoreUnavailable
from penchant.store.valkey.valkey_nodes import ServerCommand, ValkeyNodes

LASTS_S = 30.0
"""Seconds for which a lease lasts without being renewed."""

_RENEW = b"""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_END = b"""
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


class StoreLease:
    """A lease by its name, not held yet."""

    def __init__(
        self, nodes: ValkeyNodes, namespace: str, name: str, lasts_s: float = LASTS_S
    ) -> None:
        """Asks for nothing yet.

        Args:
            nodes: the servers of the store.
            namespace: of the store.
            name: of the lease.
            lasts_s: seconds for which it lasts without being renewed.
        """
        self._nodes = nodes
        self._key = f"{{{namespace}:lease:{name}}}".encode()
        self._lasts_s = lasts_s
        self._value = b""
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def take(self, note: str) -> bool:
        """Takes the lease if nobody holds it, and has a thread renew it.

        Args:
            note: says to others who holds it.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        value = f"{secrets.token_hex(8)} {note}".encode()
        taken = self._ask(b"SET", self._key, value, b"NX", b"PX", self._milliseconds)
        # Whose reply was lost is sent again, and then finds the lease taken: by itself.
        if not taken and self._ask(b"GET", self._key) != value:
            return False
        self._value = value
        self._ended.clear()
        self._thread = threading.Thread(target=self._renew, name="penchant-lease", daemon=True)
        self._thread.start()
        return True

    def holder(self) -> str:
        """What the holder noted; empty if nobody holds it; raises StoreUnavailable."""
        value = self._ask(b"GET", self._key)
        return "" if value is None else bytes(value).decode().partition(" ")[2]

    def end(self) -> None:
        """Lets go of the lease; where the store does not answer, it ends by itself."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            try:
                self._ask(b"EVAL", _END, b"1", self._key, self._value)
            except StoreUnavailable:
                return

    @property
    def _milliseconds(self) -> bytes:
        return b"%d" % round(self._lasts_s * 1000)

    def _renew(self) -> None:
        while not self._ended.wait(self._lasts_s / 3):
            try:
                renewed = self._ask(
                    b"EVAL", _RENEW, b"1", self._key, self._value, self._milliseconds
                )
            except StoreUnavailable:
                continue
            if not renewed:
                return  # Another one holds it by now.

    def _ask(self, *words: bytes) -> Any:
        (reply,) = self._nodes.run([ServerCommand(self._key, words)])
        if isinstance(reply, StoreUnavailable):
            raise reply
        return reply
