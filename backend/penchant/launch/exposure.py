"""What a running server is open to, seen from outside: `penchant doctor --security`.

Nothing is changed: each door is tried with the request that reads least. A server of this machine
counts as open to others by the addresses that it listens on; any other one, as it answers here.
"""

from __future__ import annotations

import http.client
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import grpc
import psutil

from penchant.launch import probe
from penchant.launch.certificate_check import check_served
from penchant.launch.check import Check, CheckState
from penchant.launch.ports import local_address
from penchant.launch.served_certificate import (
    ServedCertificate,
    fetch_certificate,
    host_and_port,
)
from penchant.launch.tls import NO_TLS, ChannelAccess, TlsFiles
from penchant.wire.health_calls import PROBE_ID
from penchant_proto.local_targets import is_local
from penchant_proto.v1 import user_pb2
from penchant_proto.v1.service_pb2 import Call

_SERVICE = "/inference.GRPCInferenceService"
_REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
_LIST_SERVICES = b"\x3a\x00"
_MODEL = "penchant_users"
_TIMEOUT_S = 5.0

_SIDE_DOORS = {
    "shared-memory": ("SystemSharedMemoryStatus", b"", "v2/systemsharedmemory/status"),
    "model-repository": ("RepositoryIndex", b"", "v2/repository/index"),
    "model-config": ("ModelConfig", b"\x0a\x0e" + _MODEL.encode(), f"v2/models/{_MODEL}/config"),
    "statistics": ("ModelStatistics", b"", "v2/models/stats"),
    "trace": ("TraceSetting", b"", "v2/trace/setting"),
    "logging": ("LogSettings", b"", "v2/logging"),
}
"""Triton's protocols: the gRPC method and message that reads, and HTTP's path for the same."""

_CLOSE_DOORS = "start it by `penchant serve`, or with the arguments that `penchant install` prints"


@dataclass(frozen=True, slots=True)
class DoorsToTry:
    """A server to look at from outside."""

    target: str
    """Its gRPC address, `host:port`."""
    tls: TlsFiles = NO_TLS
    """Certificates of a client that it lets in."""
    http_port: int = 8000
    metrics_port: int = 8002
    places: tuple[Path, ...] = ()
    """Directories of this machine that nobody else should read."""


@dataclass(frozen=True, slots=True)
class _Transport:
    """How a server speaks gRPC."""

    certificate: ServedCertificate | None
    access: ChannelAccess | None
    """What lets this client in; None: it needs a certificate, and has none."""
    asks_for_certificates: bool = False


def try_doors(exposure: DoorsToTry) -> Iterator[Check]:
    """Tries each door of a server, and reports which are open, with the remedy.

    The state of a check is `fail` for what is open to other machines, `warn` for what other users
    of this one or whoever reads the metrics may see, and `ok` for what is closed.
    """
    public = _is_public(exposure.target)
    transport = _transport(exposure)
    if transport is None:
        found = f"nothing answers on {exposure.target}"
        yield Check("gRPC", "fail", found, "name a server that is up with --target")
    else:
        yield _encryption(transport, public)
        if transport.certificate is not None:
            host, _ = host_and_port(exposure.target) or ("", 0)
            yield check_served(transport.certificate, host)
            yield _client_certificates(transport, public)
        yield _identity(exposure.target, transport, public)
        yield from _side_doors(exposure.target, transport, public)
    yield from _http(exposure)
    yield _metrics(exposure)
    yield from map(check_place, exposure.places)


def check_place(place: Path) -> Check:
    """Looks for files below a directory that other users of the machine may read."""
    name = f"files of {place.name}"
    if not place.is_dir():
        return Check(name, "skip", f"no directory {place} here")
    try:
        others, group = (
            _readable(place, stat.S_IROTH, stat.S_IXOTH),
            _readable(place, stat.S_IRGRP, stat.S_IXGRP),
        )
    except OSError as error:
        return Check(name, "warn", f"{place} can't be looked at: {error.strerror}", "run as root")
    advice = f"chmod -R go= {place}"
    if others and _all_may_enter(place.resolve().parent):
        found = f"every user of this machine may read {len(others)}, such as {others[0]}"
        return Check(name, "fail", found, advice)
    if group:
        found = f"its group may read {len(group)}, such as {group[0]}"
        return Check(name, "warn", found, advice)
    return Check(name, "ok", "for their user alone")


def _transport(exposure: DoorsToTry) -> _Transport | None:
    certificate = fetch_certificate(exposure.target, exposure.tls)
    if certificate is None:
        return (
            _Transport(None, ChannelAccess()) if _lives(exposure.target, ChannelAccess()) else None
        )
    name = next((one for one in certificate.names if "*" not in one), "")
    anybody = ChannelAccess(grpc.ssl_channel_credentials(certificate.pem), name)
    if _lives(exposure.target, anybody):
        return _Transport(certificate, anybody)
    credentials = exposure.tls.credentials()
    if credentials is None:
        return _Transport(certificate, None, True)
    own = ChannelAccess(credentials, name)
    return _Transport(certificate, own if _lives(exposure.target, own) else None, True)


def _encryption(transport: _Transport, public: bool) -> Check:
    if transport.certificate is not None:
        return Check("gRPC", "ok", "speaks TLS")
    if public:
        advice = "serve with --tls DIR; `penchant certs` makes one for development"
        return Check("gRPC", "fail", "other machines reach it, without encryption", advice)
    return Check("gRPC", "ok", "no encryption, but this machine alone reaches it")


def _client_certificates(transport: _Transport, public: bool) -> Check:
    if transport.asks_for_certificates:
        return Check("client certificates", "ok", "each client needs one")
    where = "any client may connect" if public else "any client of this machine may connect"
    return Check("client certificates", "ok", f"not asked for: {where}")


def _identity(target: str, transport: _Transport, public: bool) -> Check:
    """Reads a user that nobody has, as somebody whom the server does not know."""
    name = "identity"
    if transport.access is None:
        advice = "name a client's directory with --tls, and look again"
        return Check(name, "warn", "not looked at: a certificate is needed", advice)
    call = Call(get_user=user_pb2.GetUserRequest(user=PROBE_ID))
    answer = "an answer"
    with probe.open_channel(target, replace(transport.access)) as channel:
        try:
            probe.infer_of(channel)(probe.request_of(_MODEL, call), timeout=_TIMEOUT_S)
        except grpc.RpcError as error:
            answer = _details(error)
    if "[Unauthenticated]" in answer:
        return Check(name, "ok", "a call without a token is refused")
    if "[UserNotFound]" not in answer and answer != "an answer":
        return Check(name, "warn", f"can't be told: {answer}", "see why with `penchant doctor`")
    found = "a call without a token is served: who reaches it may read and forget every user"
    if not public:
        return Check(name, "ok", "none is asked for, but this machine alone reaches it")
    state: CheckState = "warn" if transport.asks_for_certificates else "fail"
    return Check(name, state, found, "serve with --token-keys FILE, see the page on security")


def _side_doors(target: str, transport: _Transport, public: bool) -> Iterator[Check]:
    if transport.access is None:
        return
    with probe.open_channel(target, transport.access) as channel:
        opened = [
            name
            for name, (method, body, _) in _SIDE_DOORS.items()
            if _answers(channel, f"{_SERVICE}/{method}", body)
        ]
        yield _doors("side doors of gRPC", opened, public)
        reflection: grpc.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(
            _REFLECTION, request_serializer=None, response_deserializer=None
        )
        try:
            next(iter(reflection(iter([_LIST_SERVICES]), timeout=_TIMEOUT_S)))
        except (grpc.RpcError, StopIteration):
            yield Check("reflection", "ok", "the server does not list its services")
        else:
            found = "the server lists its services and messages to whoever asks"
            yield Check("reflection", "warn", found, "a build of Triton without it, or a proxy")


def _doors(name: str, opened: list[str], public: bool) -> Check:
    if not opened:
        return Check(name, "ok", f"{', '.join(_SIDE_DOORS)} need the key of `penchant serve`")
    found = f"{', '.join(opened)} answer whoever asks"
    return Check(name, "fail" if public else "warn", found, _CLOSE_DOORS)


def _http(exposure: DoorsToTry) -> Iterator[Check]:
    place = _of_port(exposure.target, exposure.http_port)
    if place is None or _status(place, "v2/health/live") is None:
        yield Check("HTTP", "ok", f"nothing answers on port {exposure.http_port}")
        return
    public = _is_public(local_address(*place))
    if public:
        advice = "leave --http-host at 127.0.0.1, or --triton-arg=--allow-http=false"
        yield Check("HTTP", "fail", "other machines reach it, without encryption", advice)
    else:
        yield Check("HTTP", "ok", "no encryption, but this machine alone reaches it")
    opened = [
        name
        for name, (_, _, path) in _SIDE_DOORS.items()
        if _status(place, path, "POST" if name == "model-repository" else "GET") not in (403, None)
    ]
    yield _doors("side doors of HTTP", opened, public)


def _metrics(exposure: DoorsToTry) -> Check:
    place = _of_port(exposure.target, exposure.metrics_port)
    if place is None or _status(place, "metrics") is None:
        return Check("metrics", "ok", f"nothing answers on port {exposure.metrics_port}")
    if _is_public(local_address(*place)):
        advice = "leave --metrics-host at 127.0.0.1, or let the network admit the monitoring alone"
        return Check("metrics", "warn", "other machines read them: numbers, no ids", advice)
    return Check("metrics", "ok", "this machine alone reaches them")


def _is_public(target: str) -> bool:
    """Whether other machines may reach a target: it is one itself, or listens for them."""
    if not is_local(target):
        return True
    place = host_and_port(target)
    if place is None:
        return False  # A socket.
    try:
        found = psutil.net_connections("tcp")
    except psutil.Error:
        return True
    return any(
        one.status == psutil.CONN_LISTEN
        and one.laddr
        and one.laddr.port == place[1]
        and not one.laddr.ip.startswith(("127.", "::1", "::ffff:127."))
        for one in found
    )


def _of_port(target: str, port: int) -> tuple[str, int] | None:
    place = host_and_port(target)
    return None if place is None else (place[0], port)


def _status(place: tuple[str, int], path: str, method: str = "GET") -> int | None:
    """The status of a reply over plain HTTP; None: nobody speaks it there."""
    with closing(http.client.HTTPConnection(*place, timeout=_TIMEOUT_S)) as connection:
        try:
            connection.request(method, f"/{path}")
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None


def _lives(target: str, access: ChannelAccess) -> bool:
    with probe.open_channel(target, access) as channel:
        return _answers(channel, f"{_SERVICE}/ServerLive", b"")


def _answers(channel: grpc.Channel, method: str, body: bytes) -> bool:
    """Whether a method does anything but refuse: an error of its own shows that it is open."""
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
        method, request_serializer=None, response_deserializer=None
    )
    try:
        call(body, timeout=_TIMEOUT_S)
    except grpc.RpcError as error:
        closed = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
        return error.code() not in (*closed, grpc.StatusCode.UNIMPLEMENTED)
    return True


def _details(error: grpc.RpcError) -> str:
    return str(error.details() or error.code().name)


def _readable(place: Path, read: int, enter: int) -> list[Path]:
    """The files below a directory that have a bit, in directories that all have another one."""
    if not place.stat().st_mode & enter:
        return []
    found = []
    for path in sorted(place.iterdir()):
        if path.is_symlink():
            continue
        if path.is_dir():
            found += _readable(path, read, enter)
        elif path.stat().st_mode & read:
            found.append(path)
    return found


def _all_may_enter(place: Path) -> bool:
    return all(one.stat().st_mode & stat.S_IXOTH for one in (place, *place.parents))
