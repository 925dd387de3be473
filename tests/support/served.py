"""Servers that tests start: a Triton takes 3 s to end by itself, and so it is killed after them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from penchant.launch import Server
from penchant.launch.server import ATTEMPTS


@contextmanager
def served(server: Server) -> Iterator[Server]:
    """Starts a server and kills it at the end; `with server` lets it close its store instead."""
    server.start(attempts=ATTEMPTS)
    try:
        yield server
    finally:
        server.kill()
