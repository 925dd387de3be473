"""Shared by both gRPC transports: channel options, method stubs, and the mapping of errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio

from penchant_proto.kserve.v1 import kserve_pb2
from penchant_proto.local_targets import is_local, proxy_options
from penchant_proto.no_connection import NO_CONNECTION
from penchant_sdk._wire import SERVICE
from penchant_sdk.errors import Cancelled, PenchantError, Unavailable, error_from_status

Metadata = Sequence[tuple[str, str | bytes]]
"""gRPC metadata, sent with every call; keys in lower case."""

ChannelOptions = Sequence[tuple[str, Any]]
"""gRPC channel arguments by name."""

DEFAULT_OPTIONS: dict[str, Any] = {
    # Notice a dead peer while a call waits, without more pings than a default server allows.
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.keepalive_permit_without_calls": 0,
    # Reconnect quickly to a server that restarts, because calls have short deadlines.
    "grpc.initial_reconnect_backoff_ms": 50,
    # Despite its name, the time that a connection may take: with TLS, to a far or busy server.
    "grpc.min_reconnect_backoff_ms": 5_000,
    "grpc.max_reconnect_backoff_ms": 1_000,
    # The server limits the size of requests; replies may have any size.
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
}
"""Channel options of every client, unless the caller sets an option of the same name."""

ROUND_ROBIN: tuple[str, Any] = ("grpc.lb_policy_name", "round_robin")
"""Balances over the addresses of a name, and connects again by itself where a connection is lost.
gRPC's default, `pick_first`, does neither."""

OWN_CONNECTION: tuple[str, Any] = ("grpc.use_local_subchannel_pool", 1)
"""Keeps a channel's connections to itself. By default, gRPC gives all channels of a process to one
target the same connection, so that a new channel would be no new connection."""


@dataclass(frozen=True, slots=True)
class Stubs:
    """A channel's methods; on an asyncio channel each call returns an awaitable."""

    infer: Any
    """Sends the bytes of a ModelInferRequest; returns a ModelInferResponse."""
    model_ready: Any
    """Sends a ModelReadyRequest; returns a ModelReadyResponse."""


def stubs(channel: grpc.Channel | grpc.aio.Channel) -> Stubs:
    """The methods of Triton's inference service on a channel."""
    return Stubs(
        infer=channel.unary_unary(
            f"{SERVICE}/ModelInfer",
            request_serializer=None,  # The request is serialized already.
            response_deserializer=kserve_pb2.ModelInferResponse.FromString,
        ),
        model_ready=channel.unary_unary(
            f"{SERVICE}/ModelReady",
            request_serializer=kserve_pb2.ModelReadyRequest.SerializeToString,
            response_deserializer=kserve_pb2.ModelReadyResponse.FromString,
        ),
    )


def merge_options(
    target: str, options: ChannelOptions, *, several: bool = False, renewed: bool = False
) -> list[tuple[str, Any]]:
    """The default options, without a proxy for a local target; the caller's override them.

    Args:
        target: of the channel.
        options: the caller's.
        several: whether the client has other endpoints too.
        renewed: whether the client replaces its connections by new ones.

    >>> merged = dict(merge_options("localhost:8001", [("grpc.keepalive_time_ms", 1)]))
    >>> merged["grpc.keepalive_time_ms"], merged["grpc.enable_http_proxy"]
    (1, 0)
    >>> dict(merge_options("ranker:8001", []))["grpc.lb_policy_name"]
    'round_robin'
    """
    own = dict(DEFAULT_OPTIONS)
    if several or (_is_name(target) and not is_local(target)):
        own.update([ROUND_ROBIN])
    if renewed:
        own.update([OWN_CONNECTION])
    return list({**own, **dict(proxy_options(target)), **dict(options)}.items())


def _is_name(target: str) -> bool:
    """Whether a target is looked up in the DNS, rather than by another resolver of gRPC's."""
    return target.startswith("dns:") or "://" not in target


def as_pairs(metadata: Iterable[tuple[str, str | bytes]]) -> tuple[tuple[str, str | bytes], ...]:
    """Metadata as a tuple of pairs, which gRPC may read once for every call."""
    return tuple((key, value) for key, value in metadata)


def as_given_up(error: PenchantError, *, closed: bool) -> PenchantError:
    """The error of a call; Unavailable where the server gave the call up, which may be tried again.

    A server that stops cancels the calls that are under way, and nobody here did.

    Args:
        error: as its status says.
        closed: whether the client was closed, which cancels its calls.
    """
    if isinstance(error, Cancelled) and not closed:
        return Unavailable(f"the server gave the call up: {error}")
    return error


def name_protocol(error: PenchantError, *, tls: bool) -> PenchantError:
    """The error of a call; where no connection came about, its text says what the client speaks.

    gRPC names the last address alone that it tried: of a server that expects TLS on `localhost`,
    which is two addresses, it may say that nothing listens there.

    Args:
        error: as its status says.
        tls: whether the client speaks TLS.
    """
    if error.connection_failed and str(error).startswith(NO_CONNECTION):
        error.args = (f"{error}; this client speaks gRPC {'with' if tls else 'without'} TLS",)
    return error


def closed() -> Cancelled:
    """The error of a call on a closed client."""
    return Cancelled("the client is closed, expected an open one")


def from_rpc_error(error: grpc.RpcError) -> PenchantError:
    """The SDK's exception for a gRPC error."""
    # Errors of both kinds of channel have these methods; their common base class declares neither.
    code: Any = getattr(error, "code", None)
    details: Any = getattr(error, "details", None)
    if code is None or details is None:
        return error_from_status(grpc.StatusCode.UNKNOWN, str(error))
    return error_from_status(code(), details() or code().name)
