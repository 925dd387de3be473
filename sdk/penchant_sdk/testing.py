"""Clients for your own tests: the real server in your process, with no network and no model.

`FakePenchant` runs the server's own code over a store in memory, so limits, errors and their texts,
signals, learning and scores are the server's. Two things are not: the encoder, which hashes words
and knows no synonyms, and durability: nothing outlives the process. It needs the backend's packages
(NumPy above all): `pip install 'penchant[backend]'`.

    >>> from penchant_sdk import Event, Item
    >>> penchant = FakePenchant()
    >>> result = penchant.put_items([Item("a", "a space opera"), Item("b", "a kitchen drama")])
    >>> ack = penchant.feedback([Event(user="ann", item="b", signal="like")])
    >>> penchant.rank("ann", k=1).ids
    ('b',)

The signals are those of the server's default table. Name the table that your server serves with, or
write your own, as in the server's setting `signals`:

    >>> games = FakePenchant(signals="games")
    >>> plain = FakePenchant(signals='{"heard": {"reward": 0.4}, "skipped": {"reward": -0.6}}')

A failing server, to see what your code does then:

    >>> from grpc import StatusCode
    >>> penchant.server.fail_next("[Overloaded] queue full", code=StatusCode.UNAVAILABLE, times=9)
    >>> penchant.rank("ann")
    Traceback (most recent call last):
    penchant_sdk.errors.Overloaded: queue full (rank: 4 attempts)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from grpc import StatusCode

from penchant_sdk.aio import AsyncPenchant
from penchant_sdk.client import Penchant
from penchant_sdk.errors import InvalidRequest

try:
    from penchant.domain.errors import ConfigError
    from penchant.server.in_process import (
        AsyncInProcessTransport,
        InProcessServer,
        InProcessTransport,
        StatusError,
    )
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"penchant_sdk.testing needs the package {error.name}: pip install 'penchant[backend]'",
        name=error.name,
    ) from error

__all__ = ["AsyncFakePenchant", "FakePenchant", "FakeServer", "StatusError"]


class FakeServer(InProcessServer):
    """The server in this process; thread-safe. One server may back several clients.

    Its few files are in a temporary directory, removed when the server is closed or
    garbage-collected.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.time,
        *,
        signals: str | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Starts an empty server.

        Args:
            clock: gives the server's time, in seconds since 1970-01-01 UTC.
            signals: the server's setting of that name: tables by name (`default`, `ads`, `games`,
                `home`), separated by commas, or one table as JSON. None: the default table.
            settings: a server's settings by name, such as `{"context_halvings": "2"}`.

        Raises:
            InvalidRequest: a setting is unknown, or its value does not fit.
        """
        self._failures: list[tuple[StatusCode, str]] = []
        try:
            super().__init__(
                settings=dict(settings or {}) | ({} if signals is None else {"signals": signals}),
                clock=lambda: round(clock() * 1_000_000),
            )
        except ConfigError as error:
            raise InvalidRequest(str(error)) from error

    def fail_next(self, message: str, *, code: StatusCode, times: int = 1) -> None:
        """Answers the next calls with an error instead.

        Args:
            message: for example "[Overloaded] the queue is full".
            code: the status code that goes with it.
            times: how many calls fail; the client's retries count.
        """
        self._failures += [(code, message)] * times

    def infer(self, payload: bytes) -> bytes:
        """The serialized Reply to a serialized Call; raises StatusError."""
        try:
            failure = self._failures.pop(0)
        except IndexError:
            return super().infer(payload)
        raise StatusError(*failure)


class FakePenchant(Penchant):
    """A `Penchant` whose server is in this process."""

    server: FakeServer
    """Answers the calls; shared by the clients that were given it."""

    def __init__(self, server: FakeServer | None = None, *, signals: str | None = None) -> None:
        """Makes a client.

        Args:
            server: answers the calls, and stays open when the client closes. None: a new, empty
                one, which closes with the client.
            signals: of the new server; see `FakeServer`. None: the default table.

        Raises:
            InvalidRequest: the signals do not fit, or come together with a server.
        """
        self.server = _server(server, signals)
        transport = InProcessTransport(self.server, owned=server is None)
        super().__init__("fake", transport=transport)


class AsyncFakePenchant(AsyncPenchant):
    """An `AsyncPenchant` whose server is in this process."""

    server: FakeServer
    """Answers the calls; shared by the clients that were given it."""

    def __init__(self, server: FakeServer | None = None, *, signals: str | None = None) -> None:
        """Makes a client; see `FakePenchant`."""
        self.server = _server(server, signals)
        transport = AsyncInProcessTransport(self.server, owned=server is None)
        super().__init__("fake", transport=transport)


def _server(given: FakeServer | None, signals: str | None) -> FakeServer:
    if given is None:
        return FakeServer(signals=signals)
    if signals is not None:
        raise InvalidRequest("signals: got some beside a server, expected one of the two")
    return given
