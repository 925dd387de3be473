"""Ends TLS in front of a plain server: the Valkey server of the tests is built without it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def tls_relay(target: int, context: ssl.SSLContext) -> Iterator[int]:
    """A port that speaks TLS, and passes on to a plain port of this machine."""
    with contextlib.ExitStack() as ends:
        listener = ends.enter_context(socket.create_server(("127.0.0.1", 0)))
        relay = _Relay(target, context)
        ends.callback(relay.close)
        accepting = threading.Thread(target=relay.accept, args=(listener,), daemon=True)
        accepting.start()
        ends.callback(accepting.join)
        # Closing a socket does not wake a thread that waits for it.
        ends.callback(listener.shutdown, socket.SHUT_RDWR)
        yield int(listener.getsockname()[1])


class _Relay:
    """The connections of one relay, each with a thread for either direction."""

    def __init__(self, target: int, context: ssl.SSLContext) -> None:
        self._target = target
        self._context = context
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def accept(self, listener: socket.socket) -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                caller = self._context.wrap_socket(plain, server_side=True)
            except OSError:
                plain.close()
                continue
            server = socket.create_connection(("127.0.0.1", self._target))
            self._sockets += [caller, server]
            for one, other in ((caller, server), (server, caller)):
                thread = threading.Thread(target=_pass_on, args=(one, other), daemon=True)
                thread.start()
                self._threads.append(thread)

    def close(self) -> None:
        """Ends all connections; the listener must be closed to new ones."""
        for end in self._sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for end in self._sockets:
            end.close()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while received := one.recv(65536):
            other.sendall(received)
    for end in (one, other):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
