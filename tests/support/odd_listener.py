"""A port that takes connections and does with each what no server of Penchant would."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def odd_listener(answer: Callable[[socket.socket], object]) -> Iterator[str]:
    """The address of a port of this machine; each connection is closed after its answer."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def listen() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                # A caller whose time is over may have hung up already.
                with connection, suppress(ConnectionError):
                    answer(connection)

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
