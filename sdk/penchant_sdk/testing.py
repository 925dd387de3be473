"""Fakes of the clients for your own tests: no server, no network, the same laws.

    >>> from penchant_sdk import Event, Item
    >>> penchant = FakePenchant()
    >>> result = penchant.put_items([Item("a", "a space opera"), Item("b", "a kitchen drama")])
    >>> ack = penchant.feedback([Event(user="ann", item="b", signal="like")])
    >>> penchant.rank("ann", k=1).ids
    ('b',)

What the fake shares with a real server: idempotent puts, duplicates, refusals, state versions,
`min_state_version`, `exclude_seen`, exact explanations, export, forgetting, limits, errors. What it
does not: the encoder (it hashes words), the scores, forgetting by time, and durability.

A failing server, to see what your code does then:

    >>> from grpc import StatusCode
    >>> penchant.server.fail_next("[Overloaded] queue full", code=StatusCode.UNAVAILABLE, times=9)
    >>> penchant.rank("ann")
    Traceback (most recent call last):
    penchant_sdk.errors.Overloaded: queue full (rank: 4 attempts)
"""

from __future__ import annotations

from penchant_sdk._fake_server import FakeServer, StatusError
from penchant_sdk.aio import AsyncPenchant
from penchant_sdk.client import Penchant
from penchant_sdk.errors import Cancelled, error_from_status

__all__ = ["AsyncFakePenchant", "FakePenchant", "FakeServer", "StatusError"]


class FakeTransport:
    """Carries calls to a FakeServer in this process."""

    def __init__(self, server: FakeServer) -> None:
        self._server = server
        self._closed = False

    def infer(self, model: str, payload: bytes, timeout_s: float) -> bytes:
        """See `Transport.infer`; the answer is immediate, so the timeout is never reached."""
        if self._closed:
            raise Cancelled("the client is closed, expected an open one")
        try:
            return self._server.infer(payload)
        except StatusError as status:
            raise error_from_status(status.code, status.message) from None

    def model_ready(self, model: str, timeout_s: float) -> bool:
        """See `Transport.model_ready`."""
        if self._closed:
            raise Cancelled("the client is closed, expected an open one")
        return True

    def close(self) -> None:
        """See `Transport.close`."""
        self._closed = True


class AsyncFakeTransport:
    """The same as `FakeTransport`, for asyncio."""

    def __init__(self, server: FakeServer) -> None:
        self._transport = FakeTransport(server)

    async def infer(self, model: str, payload: bytes, timeout_s: float) -> bytes:
        """See `AsyncTransport.infer`."""
        return self._transport.infer(model, payload, timeout_s)

    async def model_ready(self, model: str, timeout_s: float) -> bool:
        """See `AsyncTransport.model_ready`."""
        return self._transport.model_ready(model, timeout_s)

    async def close(self) -> None:
        """See `AsyncTransport.close`."""
        self._transport.close()


class FakePenchant(Penchant):
    """A `Penchant` whose server is in this process."""

    server: FakeServer
    """What answers; shared where several clients were given the same one."""

    def __init__(self, server: FakeServer | None = None) -> None:
        """Makes a client of a server; None: of a new, empty one."""
        self.server = server or FakeServer()
        super().__init__("fake", transport=FakeTransport(self.server))


class AsyncFakePenchant(AsyncPenchant):
    """An `AsyncPenchant` whose server is in this process."""

    server: FakeServer
    """What answers; shared where several clients were given the same one."""

    def __init__(self, server: FakeServer | None = None) -> None:
        """Makes a client of a server; None: of a new, empty one."""
        self.server = server or FakeServer()
        super().__init__("fake", transport=AsyncFakeTransport(self.server))
