"""The seam between the clients and the wire: what carries a call, and its two gRPC carriers.

A transport takes a serialized `Call`, returns a serialized `Reply`, and raises `PenchantError`. It
tries once: retries are the client's.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import grpc
import grpc.aio

from penchant_proto.kserve.v1 import kserve_pb2
from penchant_sdk._wire import SERVICE, decode, encode
from penchant_sdk.errors import Cancelled, PenchantError, error_from_status

Metadata = Sequence[tuple[str, str | bytes]]
"""gRPC metadata, sent with every call; keys in lower case."""

ChannelOptions = Sequence[tuple[str, Any]]
"""gRPC channel arguments by name."""

DEFAULT_OPTIONS: dict[str, Any] = {
    # Notice a dead peer while a call waits, without more pings than a default server allows.
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.keepalive_permit_without_calls": 0,
    # Reconnect quickly to a server that restarts: the deadline of a call is short.
    "grpc.initial_reconnect_backoff_ms": 50,
    "grpc.min_reconnect_backoff_ms": 50,
    "grpc.max_reconnect_backoff_ms": 1_000,
    # The server limits what is asked for; the answer may be as large as it is.
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
}
"""Channel options where the caller gives no others of the same name."""


class Transport(Protocol):
    """Carries calls for `Penchant`; shared by threads."""

    def infer(self, model: str, payload: bytes, timeout_s: float) -> bytes:
        """Sends a serialized `Call` to a model; returns the serialized `Reply`."""
        ...

    def model_ready(self, model: str, timeout_s: float) -> bool:
        """Whether the model takes requests."""
        ...

    def close(self) -> None:
        """Ends the connection and the calls on it; later calls raise Cancelled."""
        ...


class AsyncTransport(Protocol):
    """Carries calls for `AsyncPenchant`, in one event loop."""

    async def infer(self, model: str, payload: bytes, timeout_s: float) -> bytes:
        """Sends a serialized `Call` to a model; returns the serialized `Reply`."""
        ...

    async def model_ready(self, model: str, timeout_s: float) -> bool:
        """Whether the model takes requests."""
        ...

    async def close(self) -> None:
        """Ends the connection and the calls on it; later calls raise Cancelled."""
        ...


def merge_options(options: ChannelOptions) -> list[tuple[str, Any]]:
    """The default options with the caller's over them.

    >>> dict(merge_options([("grpc.keepalive_time_ms", 1)]))["grpc.keepalive_time_ms"]
    1
    """
    return list({**DEFAULT_OPTIONS, **dict(options)}.items())


def _checked(metadata: Iterable[tuple[str, str | bytes]]) -> tuple[tuple[str, str | bytes], ...]:
    return tuple((key, value) for key, value in metadata)


def _closed() -> Cancelled:
    return Cancelled("the client is closed, expected an open one")


def _from_rpc_error(error: grpc.RpcError) -> PenchantError:
    # Sync and asyncio errors both have the two methods; their common base class does not say so.
    code: Any = getattr(error, "code", None)
    details: Any = getattr(error, "details", None)
    if code is None or details is None:
        return error_from_status(grpc.StatusCode.UNKNOWN, str(error))
    return error_from_status(code(), details() or code().name)


class GrpcTransport:
    """One gRPC channel for all threads."""

    def __init__(
        self,
        target: str,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        metadata: Metadata = (),
        channel_options: ChannelOptions = (),
    ) -> None:
        options = merge_options(channel_options)
        if credentials is None:
            self._channel = grpc.insecure_channel(target, options=options)
        else:
            self._channel = grpc.secure_channel(target, credentials, options=options)
        self._metadata = _checked(metadata)
        self._closed = threading.Event()
        self._infer: Any = self._channel.unary_unary(
            f"{SERVICE}/ModelInfer",
            request_serializer=None,  # Encoded already.
            response_deserializer=kserve_pb2.ModelInferResponse.FromString,
        )
        self._model_ready: Any = self._channel.unary_unary(
            f"{SERVICE}/ModelReady",
            request_serializer=kserve_pb2.ModelReadyRequest.SerializeToString,
            response_deserializer=kserve_pb2.ModelReadyResponse.FromString,
        )

    def infer(self, model: str, payload: bytes, timeout_s: float) -> bytes:
        """See `Transport.infer`."""
        return decode(self._call(self._infer, encode(model, payload), timeout_s))

    def model_ready(self, model: str, timeout_s: float) -> bool:
        """See `Transport.model_ready`."""
        request = kserve_pb2.ModelReadyRequest(name=model)
        return bool(self._call(self._model_ready, request, timeout_s).ready)

    def _call(self, method: Any, request: object, timeout_s: float) -> Any:
        if self._closed.is_set():
            raise _closed()
        try:
            return method(request, timeout=timeout_s, metadata=self._metadata)
        except grpc.RpcError as error:
            raise _from_rpc_error(error) from error
        except ValueError as error:
            if not self._closed.is_set():
                raise
            raise _closed() from error  # Closed by another thread a moment ago.

    def close(self) -> None:
        """See `Transport.close`."""
        self._closed.set()
        self._channel.close()


class AsyncGrpcTransport:
    """One asyncio gRPC channel, opened at the first call: it belongs to the loop that runs then."""

    def __init__(
        self,
        target: str,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        metadata: Metadata = (),
        channel_options: ChannelOptions = (),
    ) -> None:
        self._target = target
        self._credentials = credentials
        self._metadata = _checked(metadata)
        self._options = merge_options(channel_options)
        self._channel: grpc.aio.Channel | None = None
        self._closed = False
        self._infer: Any = None
        self._model_ready: Any = None

    def _open(self) -> None:
        if self._credentials is None:
            channel = grpc.aio.insecure_channel(self._target, options=self._options)
        else:
            channel = grpc.aio.secure_channel(
                self._target, self._credentials, options=self._options
            )
        self._channel = channel
        self._infer = channel.unary_unary(
            f"{SERVICE}/ModelInfer",
            request_serializer=None,  # Encoded already.
            response_deserializer=kserve_pb2.ModelInferResponse.FromString,
        )
        self._model_ready = channel.unary_unary(
            f"{SERVICE}/ModelReady",
            request_serializer=kserve_pb2.ModelReadyRequest.SerializeToString,
            response_deserializer=kserve_pb2.ModelReadyResponse.FromString,
        )

    async def infer(self, model: str, payload: bytes, timeout_s: float) -> bytes:
        """See `AsyncTransport.infer`."""
        self._ensure_open()
        return decode(await self._call(self._infer, encode(model, payload), timeout_s))

    async def model_ready(self, model: str, timeout_s: float) -> bool:
        """See `AsyncTransport.model_ready`."""
        self._ensure_open()
        request = kserve_pb2.ModelReadyRequest(name=model)
        return bool((await self._call(self._model_ready, request, timeout_s)).ready)

    def _ensure_open(self) -> None:
        if self._closed:
            raise _closed()
        if self._channel is None:
            self._open()

    async def _call(self, method: Any, request: object, timeout_s: float) -> Any:
        try:
            return await method(request, timeout=timeout_s, metadata=self._metadata)
        except grpc.RpcError as error:
            raise _from_rpc_error(error) from error

    async def close(self) -> None:
        """See `AsyncTransport.close`."""
        self._closed = True
        if self._channel is not None:
            await self._channel.close()
