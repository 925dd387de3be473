"""Transports of `AsyncPenchant`: the protocol `AsyncTransport`, and its implementation by gRPC.

A transport takes a serialized `Call`, returns a serialized `Reply`, and raises `PenchantError`. It
tries once: the client does the retries.
"""

from __future__ import annotations

import asyncio  # Asyncio only.
import threading
import time
from collections.abc import (
    Awaitable,  # Asyncio only.
    Iterable,
)
from typing import Any, Protocol

import grpc
import grpc.aio

from penchant_proto.kserve.v1 import kserve_pb2
from penchant_sdk._bearer import AsyncToken, Bearer
from penchant_sdk._call_handle import CallHandle
from penchant_sdk._channel import (
    ChannelOptions,
    Metadata,
    as_given_up,
    as_pairs,
    closed,
    from_rpc_error,
    merge_options,
    name_protocol,
)
from penchant_sdk._event_loop import task_is_cancelled  # Asyncio only.
from penchant_sdk._request_trace import attempt_span, name_attempt, new_request_id
from penchant_sdk._server_connection import ServerConnection
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
        several: bool = False,
        max_connection_age_s: float | None = None,
    ) -> None:
        self._target = target
        self._credentials = credentials
        self._bearer = Bearer(token, as_pairs(metadata))
        self._longest_s = max_connection_age_s
        self._options = merge_options(
            target, channel_options, several=several, renewed=max_connection_age_s is not None
        )
        self._lock = threading.Lock()  # Never held while a call waits.
        self._connection: ServerConnection | None = None
        self._next: ServerConnection | None = None
        self._retired: list[ServerConnection] = []
        self._closed = False

    @property
    def connectivity(self) -> grpc.ChannelConnectivity:
        """The state of the channel, which connects by itself from the first look on."""
        with self._lock:
            return self._opened().state()

    async def infer(
        self, model: str, payload: bytes, timeout_s: float, handle: CallHandle | None = None
    ) -> bytes:
        """See `AsyncTransport.infer`; a call can be cancelled by its handle."""
        connection, request_id = self._enter(), new_request_id()
        try:
            method = connection.stubs.infer
            if handle is not None:
                method = handle.wrap(method)
            request = encode(model, payload, timeout_s, request_id)
            with attempt_span(model, request_id) as headers:
                try:
                    return decode(await self._call(method, request, timeout_s, headers))
                except PenchantError as error:
                    name_attempt(error, request_id)
                    raise
        finally:
            if self._longest_s is not None:
                await self._leave(connection)

    async def model_ready(self, model: str, timeout_s: float) -> bool:
        """See `AsyncTransport.model_ready`."""
        connection, request = self._enter(), kserve_pb2.ModelReadyRequest(name=model)
        try:
            reply = await self._call(connection.stubs.model_ready, request, timeout_s)
            return bool(reply.ready)
        finally:
            if self._longest_s is not None:
                await self._leave(connection)

    async def close(self) -> None:
        """See `AsyncTransport.close`."""
        with self._lock:
            self._closed = True
            found = [self._connection, self._next, *self._retired]
            self._connection = self._next = None
            self._retired = []
        await _close_all(one for one in found if one is not None)

    def _enter(self) -> ServerConnection:
        """The connection of a call, which must leave it afterwards where connections are replaced.

        Raises:
            Cancelled: the transport is closed.
        """
        with self._lock:
            connection = self._opened()
            if self._longest_s is None:
                return connection
            if self._next is None and connection.old():
                self._next = self._new_connection()
            # The old one carries the calls until the new one is there.
            if self._next is not None and self._next.state() is grpc.ChannelConnectivity.READY:
                self._retired.append(connection)
                self._connection = connection = self._next
                self._next = None
            connection.calls += 1
            return connection

    async def _leave(self, connection: ServerConnection) -> None:
        """Ends a call, and closes the replaced connections that carry none any more."""
        with self._lock:
            connection.calls -= 1
            idle = [one for one in self._retired if not one.calls]
            if idle:
                self._retired = [one for one in self._retired if one.calls]
        await _close_all(idle)

    def _opened(self) -> ServerConnection:
        """The connection; raises Cancelled once the transport is closed.

        The constructor opens no channel, because it may run before a fork or, in asyncio, outside
        of the event loop.
        """
        if self._closed:
            raise closed()
        if self._connection is None:
            self._connection = self._new_connection()
        return self._connection

    def _new_connection(self) -> ServerConnection:
        channel = _new_channel(self._target, self._credentials, self._options)
        return ServerConnection(channel, self._longest_s)

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
            found = as_given_up(from_rpc_error(error), closed=self._closed)
            raise name_protocol(found, tls=self._credentials is not None) from error
        except asyncio.CancelledError as error:  # Asyncio only.
            if not self._closed or task_is_cancelled():  # Asyncio only.
                raise  # Asyncio only.
            raise closed() from error  # Asyncio only.
        except ValueError as error:
            if not self._closed:
                raise
            raise closed() from error  # Another call closed the channel a moment ago.


async def _close_all(connections: Iterable[ServerConnection]) -> None:
    for one in connections:
        one.unwatch()
        await one.channel.close()


def _new_channel(
    target: str, credentials: grpc.ChannelCredentials | None, options: ChannelOptions
) -> grpc.aio.Channel:
    if credentials is None:
        return grpc.aio.insecure_channel(target, options=options)
    return grpc.aio.secure_channel(target, credentials, options=options)
