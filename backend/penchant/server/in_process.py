"""A server in this process: the real app over a store in memory, with no Triton in between.

Replies, statuses and error texts are those of the models in Triton, because the code is the same.
Triton's own part is missing: queues, batches across callers, processes and the network. Of the
backend's packages only NumPy and threadpoolctl are needed.

The SDK's `FakePenchant` runs on it, and so do simulations that make many calls.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Self

from grpc import StatusCode
from threadpoolctl import ThreadpoolController

from penchant.config import parse
from penchant.domain.errors import ConfigError, PenchantError
from penchant.encoder.bag_of_words import BagOfWords
from penchant.encoder.base import Encoder
from penchant.encoder.library import EncoderLibrary
from penchant.server.app import build
from penchant.server.triton.errors import CODE_OF, message_of
from penchant.service.clock import Clock, system_clock
from penchant.service.meter import SilentMeter
from penchant_proto.methods import METHODS
from penchant_sdk import Penchant
from penchant_sdk.errors import Cancelled, error_from_status

TIMEOUT_S = 10.0
"""Deadline in seconds of each call of `client_of`: a put encodes in the caller's own process."""

MODELS = tuple(sorted({method.model for method in METHODS.values()}))
"""Every Triton model of the contract; one app answers for all of them."""

GRPC_CODE_OF = {
    "INVALID_ARG": StatusCode.INVALID_ARGUMENT,
    "NOT_FOUND": StatusCode.NOT_FOUND,
    "ALREADY_EXISTS": StatusCode.ALREADY_EXISTS,
    "UNAVAILABLE": StatusCode.UNAVAILABLE,
    "UNSUPPORTED": StatusCode.UNIMPLEMENTED,
    "INTERNAL": StatusCode.INTERNAL,
}
"""The gRPC status that Triton sends for each of its own error codes."""

_TURN = Lock()
"""Held while any server of this process computes, since the number of threads below is shared."""

_BLAS = ThreadpoolController()
"""Keeps NumPy to one thread, as in Triton: the matrices are small, and more threads only wait."""


class StatusError(Exception):
    """A call that failed, as the wire carries it: a gRPC status code and a message."""

    def __init__(self, code: StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class InProcessServer:
    """Answers serialized calls one at a time; thread-safe. One server may back several clients.

    Its catalog's files are in a temporary directory. That is removed when the server is closed or
    garbage-collected, and at the latest when Python exits.
    """

    def __init__(
        self,
        encoder: Encoder | None = None,
        settings: Mapping[str, str] | None = None,
        clock: Clock = system_clock,
    ) -> None:
        """Starts an empty server.

        Args:
            encoder: makes the vectors; None: a `BagOfWords`.
            settings: the settings of a model's configuration by name, except `store`, `encoder`
                and `catalog_dir`; None: all at their defaults.
            clock: gives the server's time, in microseconds since 1970-01-01 UTC.

        Raises:
            ConfigError: a setting is unknown, or its value does not fit.
        """
        directory = Path(tempfile.mkdtemp(prefix="penchant-"))
        self._remove_files = weakref.finalize(self, shutil.rmtree, directory, ignore_errors=True)
        own = {"store": "memory:", "encoder": str(directory), "catalog_dir": str(directory)}
        given = dict(settings or {})
        for name in own.keys() & given.keys():
            raise ConfigError(
                f"{name}: got {given[name]!r}, expected none; a server in this process has its own"
            )
        config = parse(given | own)
        encoders = EncoderLibrary(encoder or BagOfWords())
        self._app = build(MODELS, config, encoders, SilentMeter(), clock)

    def infer(self, payload: bytes) -> bytes:
        """The serialized `Reply` to a serialized `Call`.

        Raises:
            StatusError: the call failed; its code and message are those that Triton would send.
        """
        with _TURN, _BLAS.limit(limits=1, user_api="blas"):
            if not self._remove_files.alive:
                raise StatusError(StatusCode.UNAVAILABLE, "the server is closed")
            reply = self._app.dispatch.handle(payload)
        if isinstance(reply, PenchantError):
            raise StatusError(GRPC_CODE_OF[CODE_OF[reply.kind]], message_of(reply))
        return reply if isinstance(reply, bytes) else reply.SerializeToString()

    def close(self) -> None:
        """Forgets everything and removes the files; later calls fail with UNAVAILABLE."""
        with _TURN:
            self._app.close()
            self._remove_files()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class InProcessTransport:
    """Carries a client's calls to a server in this process; see `penchant_sdk.Transport`."""

    def __init__(self, server: InProcessServer, *, owned: bool = False) -> None:
        """Makes the transport.

        Args:
            server: answers the calls.
            owned: whether closing the transport closes the server too.
        """
        self._server = server
        self._owned = owned
        self._closed = False

    def infer(self, model: str, payload: bytes, timeout_s: float) -> bytes:
        """See `Transport.infer`; the answer is computed on the spot, whatever the timeout."""
        self._check_open()
        try:
            return self._server.infer(payload)
        except StatusError as status:
            raise error_from_status(status.code, status.message) from None

    def model_ready(self, model: str, timeout_s: float) -> bool:
        """See `Transport.model_ready`."""
        self._check_open()
        return True

    def close(self) -> None:
        """See `Transport.close`."""
        self._closed = True
        if self._owned:
            self._server.close()

    def _check_open(self) -> None:
        if self._closed:
            raise Cancelled("the client is closed, expected an open one")


class AsyncInProcessTransport:
    """The twin of `InProcessTransport` for asyncio; a call holds the event loop until answered."""

    def __init__(self, server: InProcessServer, *, owned: bool = False) -> None:
        """Makes the transport.

        Args:
            server: answers the calls.
            owned: whether closing the transport closes the server too.
        """
        self._transport = InProcessTransport(server, owned=owned)

    async def infer(self, model: str, payload: bytes, timeout_s: float) -> bytes:
        """See `AsyncTransport.infer`."""
        return self._transport.infer(model, payload, timeout_s)

    async def model_ready(self, model: str, timeout_s: float) -> bool:
        """See `AsyncTransport.model_ready`."""
        return self._transport.model_ready(model, timeout_s)

    async def close(self) -> None:
        """See `AsyncTransport.close`."""
        self._transport.close()


def client_of(
    encoder: Encoder, settings: Mapping[str, str] | None = None, clock: Clock = system_clock
) -> Penchant:
    """A client of a new server of its own, which closes with it; see `InProcessServer`.

    Raises:
        ConfigError: a setting is unknown, or its value does not fit.
    """
    server = InProcessServer(encoder, settings, clock)
    transport = InProcessTransport(server, owned=True)
    return Penchant("in process", transport=transport, timeout_s=TIMEOUT_S)
