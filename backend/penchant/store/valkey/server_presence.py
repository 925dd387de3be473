"""Who uses a store: each process that writes to it says so again and again, by a key that expires.

Nothing is kept out by it. A move reads it, since it must know that nobody writes any more.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from typing import Any

from penchant.domain.errors import StoreUnavailable
from penchant.store.valkey.valkey_nodes import ServerCommand, ValkeyNodes

LASTS_S = 30.0
"""Seconds after which a process that was killed no longer counts."""


class ServerPresence:
    """Of one process in one namespace; nothing is said before `begin`."""

    def __init__(self, nodes: ValkeyNodes, namespace: str, lasts_s: float = LASTS_S) -> None:
        """Says nothing yet."""
        self._nodes = nodes
        self._prefix = f"{{{namespace}:server:".encode()
        self._names = f"{{{namespace}:servers}}".encode()
        self._name = secrets.token_hex(8).encode()
        self._lasts_s = lasts_s
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, who: str) -> None:
        """Says who this process is, from now on; raises StoreUnavailable if it can't be said.

        Args:
            who: as `process 7 on shop-1, since 2024-05-01 12:00:00 UTC`.
        """
        if self._thread is not None:
            return
        self.others()  # Takes out the names of those that were killed.
        self._say(who)
        self._thread = threading.Thread(
            target=self._run, args=(who,), name="penchant-presence", daemon=True
        )
        self._thread.start()

    def others(self) -> list[str]:
        """The other processes that use the store, in order; raises StoreUnavailable."""
        names = [name for name in self._ask(b"SMEMBERS", self._names) if name != self._name]
        said = self._ask_all([[b"GET", self._key(name)] for name in names])
        gone = [name for name, who in zip(names, said, strict=True) if who is None]
        if gone:
            self._ask(b"SREM", self._names, *gone)
        return sorted({bytes(who).decode() for who in said if who is not None})

    def close(self) -> None:
        """Takes it back; where the store does not answer, it expires by itself."""
        self._ended.set()
        if self._thread is None:
            return
        self._thread.join()
        self._thread = None
        try:
            self._ask(b"SREM", self._names, self._name)
            self._ask(b"DEL", self._key(self._name))
        except StoreUnavailable:
            return

    def _run(self, who: str) -> None:
        while not self._ended.wait(self._lasts_s / 3):
            try:
                self._say(who)
            except StoreUnavailable:
                continue

    def _say(self, who: str) -> None:
        milliseconds = b"%d" % round(self._lasts_s * 1000)
        self._ask(b"SET", self._key(self._name), who.encode(), b"PX", milliseconds)
        # After the key: a name without one is taken out by whoever looks.
        self._ask(b"SADD", self._names, self._name)

    def _key(self, name: bytes) -> bytes:
        return self._prefix + name + b"}"

    def _ask(self, *words: bytes) -> Any:
        (reply,) = self._ask_all([words])
        return reply

    def _ask_all(self, commands: Sequence[Sequence[bytes]]) -> list[Any]:
        replies = self._nodes.run([ServerCommand(words[1], words) for words in commands])
        for reply in replies:
            if isinstance(reply, StoreUnavailable):
                raise reply
        return replies
