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
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, target, context), daemon=True).start()
        yield int(listener.getsockname()[1])


def _accept(listener: socket.socket, target: int, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        try:
            caller = context.wrap_socket(plain, server_side=True)
        except OSError:
            plain.close()
            continue
        server = socket.create_connection(("127.0.0.1", target))
        for one, other in ((caller, server), (server, caller)):
            threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while received := one.recv(65536):
            other.sendall(received)
    for end in (one, other):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
