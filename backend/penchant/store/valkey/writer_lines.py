"""The lines of writers that wait for their turn at a place: who lost goes first, in order.

Whoever loses at a user's place, or a budget's, joins its line in the same call. It asks for its
turn, and has it once it is the first: from then on, others' commits are refused, and join the line,
until it has written. It reads only after that, and so it loses once.
A turn says who goes first, and nothing else: what is written is kept right by versions alone. A
first one that is not heard of for 0.5 s loses its place, so that a writer that died or hangs holds
the others up no longer.
"""

from __future__ import annotations

import contextlib
import secrets
import struct
import threading
import time
from collections.abc import Collection, Sequence

from penchant.domain.errors import StoreUnavailable
from penchant.store.valkey.places import Place
from penchant.store.valkey.server_functions import call
from penchant.store.valkey.valkey_nodes import ServerCommand, ValkeyNodes

_LEAST_S, _LONGEST_S = 0.002, 0.1
"""Shortest and longest time between two looks."""
_TOGETHER_S = 0.05
"""A writer whose turn has come at one place waits so much longer for its others."""


class WriterLines:
    """Of one store in one process; each of its threads is a writer."""

    def __init__(self, nodes: ValkeyNodes) -> None:
        """Nobody waits."""
        self._nodes = nodes
        self._name = secrets.token_bytes(8)
        self._local = threading.local()
        self._write_s = _LEAST_S
        """How long a writer ahead takes, as seen last: on a busy machine, looks are rarer."""

    @property
    def who(self) -> bytes:
        """This thread, in lines."""
        return self._name + struct.pack("<Q", threading.get_ident())

    def keep(self, lost: Collection[Place], written: Collection[Place]) -> None:
        """Ends a transaction of this thread: it stays in line where it lost, and nowhere else.

        Args:
            lost: where another writer was faster, or is to be.
            written: where a commit has taken it out of the line.
        """
        waits: set[Place] = getattr(self._local, "waits", set())
        left = waits.difference(lost, written)
        self._local.waits = set(lost)
        if left:
            with contextlib.suppress(StoreUnavailable):  # Its turn there will pass.
                self._nodes.run(self._commands("line_leave", left))

    def wait(self, places: Collection[Place], most_s: float) -> None:
        """Waits until it is this thread's turn, for a number of seconds at most.

        With several places, one is enough, unless the others follow at once.
        """
        began_s, together_s, before = time.monotonic(), 0.0, 0
        looked_s, commands = began_s, self._commands("line_ask", places)
        while True:
            ahead = [reply for reply in self._nodes.run(commands) if isinstance(reply, int)]
            now = time.monotonic()
            if min(ahead, default=0) == 0 and not together_s:
                together_s = now + _TOGETHER_S
            late = now >= began_s + most_s or (together_s and now >= together_s)
            if late or not any(ahead):
                return
            nearest = min(one for one in ahead if one)
            if before:
                written = before - nearest
                took_s = (now - looked_s) / written if written > 0 else 2 * self._write_s
                self._write_s = min(max(took_s, _LEAST_S), _LONGEST_S)
            before, looked_s = nearest, now
            time.sleep(min(self._write_s * nearest, _LONGEST_S))

    def _commands(self, function: str, places: Collection[Place]) -> Sequence[ServerCommand]:
        return [
            ServerCommand(place.line, [*call(function, place.line), self.who]) for place in places
        ]
