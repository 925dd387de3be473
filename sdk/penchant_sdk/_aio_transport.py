"""Transports of `AsyncPenchant`: the protocol `AsyncTransport`, and its implementation by gRPC.

A transport takes a serialized `Call`, returns a serialized `Reply`, and raises `PenchantError`. It
tries once: the client does the retries.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable  # Asyncio only.
from typing import Any, Protocol

import grpc
import grpc.aio

from penchant_proto.kserve.v1 import kserve_pb2
from penchant_sdk._bearer import AsyncToken, Bearer
from penchant_sdk._channel import (
    ChannelOptions,
    Metadata,
    Stubs,
    as_pairs,
    closed,
    from_rpc_error,
    merge_options,
    stubs,
)
from penchant_sdk._request_trace import attempt_span, name_attempt, new_request_id
from penchant_sdk._wire import decode, encode
from penchant_sdk.errors import PenchantError


class AsyncTransport(Protocol):
    """Carries calls for `AsyncPenchant`; safe to share between tasks of one event loop."""

    async def infer(self, model: str, payload: bytes, timeout_s: float) -> bytes:
        """Sends a serialized `Call` to a model; returns the serialized `Reply`."""
        ...

    async def model_ready(self, model: str, timeout_s: float) -> bool:
        """Whether the model takes requests."""
        ...

    async def close(self) -> None:
        """Closes the connection and cancels its calls; later calls raise Cancelled."""
        ...


class AsyncGrpcTransport:
    """A gRPC channel, opened by the first call; safe to share between tasks of one event loop."""

    def __init__(
        self,
        target: str,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        metadata: Metadata = (),
        token: AsyncToken | None = None,
        channel_options: ChannelOptions = (),
    ) -> None:
        self._target = target
        self._credentials = credentials
        self._bearer = Bearer(token, as_pairs(metadata))
        self._options = merge_options(target, channel_options)
        self._lock = threading.Lock()  # Never held while a call waits.
        self._channel: grpc.aio.Channel | None = None
        self._stubs: Stubs | None = None
        self._closed = False

    async def infer(self, model: str, payload: bytes, timeout_s: float) -> bytes:
        """See `AsyncTransport.infer`."""
        method, request_id = self._open().infer, new_request_id()
        request = encode(model, payload, timeout_s, request_id)
        with attempt_span(model, request_id) as headers:
            try:
                return decode(await self._call(method, request, timeout_s, headers))
            except PenchantError as error:
                name_attempt(error, request_id)
                raise

    async def model_ready(self, model: str, timeout_s: float) -> bool:
        """See `AsyncTransport.model_ready`."""
        method, request = self._open().model_ready, kserve_pb2.ModelReadyRequest(name=model)
        reply = await self._call(method, request, timeout_s)
        return bool(reply.ready)

    async def close(self) -> None:
        """See `AsyncTransport.close`."""
        with self._lock:
            self._closed = True
            channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close()

    def _open(self) -> Stubs:
        """The channel's methods; raises Cancelled once the transport is closed.

        The constructor opens no channel, because it may run before a fork or, in asyncio, outside
        of the event loop.
        """
        with self._lock:
            if self._closed:
                raise closed()
            if self._stubs is None:
                self._channel = _new_channel(self._target, self._credentials, self._options)
                self._stubs = stubs(self._channel)
            return self._stubs

    async def _call(
        self, method: Any, request: object, timeout_s: float, headers: Metadata = ()
    ) -> Any:
        started_s = time.monotonic()
        try:
            return await self._call_once(method, request, timeout_s, headers)
        except PenchantError as error:
            left_s = started_s + timeout_s - time.monotonic()
            if left_s <= 0 or not self._bearer.worth_another(error):
                raise
        return await self._call_once(method, request, left_s, headers)

    async def _call_once(
        self, method: Any, request: object, timeout_s: float, headers: Metadata
    ) -> Any:
        token = self._bearer.ask()
        if isinstance(token, Awaitable):  # Asyncio only.
            token = await token  # Asyncio only.
        metadata = (*self._bearer.metadata(token), *headers)
        try:
            return await method(request, timeout=timeout_s, metadata=metadata)
        except grpc.RpcError as error:
            raise from_rpc_error(error) from error
        except ValueError as error:
            if not self._closed:
                raise
            raise closed() from error  # Another call closed the channel a moment ago.


def _new_channel(
    target: str, credentials: grpc.ChannelCredentials | None, options: ChannelOptions
) -> grpc.aio.Channel:
    if credentials is None:
        return grpc.aio.insecure_channel(target, options=options)
    return grpc.aio.secure_channel(target, credentials, options=options)
