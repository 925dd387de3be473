"""Serves Penchant: a Triton that is started again whenever it fails, until an interrupt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from penchant.encoder.bundle import check_encoder
from penchant.launch.errors import LaunchError
from penchant.launch.model_parameters import HOME, KEPT_ENCODER, gather
from penchant.launch.ports import Hosts, Ports
from penchant.launch.refresh_process import RefreshProcess
from penchant.launch.server import Server
from penchant.launch.supervise import Supervisor, WatchEvents
from penchant.launch.tls import ServerTls
from penchant.launch.token_options import NO_TOKENS, TokenOptions, check_exposure
from penchant.server.identity.token_keys import read_key_file
from penchant.server.triton.traces import ENDPOINT, check_installed
from penchant.system.interval import Interval
from penchant.system.option_types import (
    ENCODER_IN_USE,
    FLAT,
    STORE_IN_USE,
    Flag,
    Pairs,
    shows,
)

_Port = Annotated[int, Parameter(validator=Number(gte=0, lte=65535))]

_TRITONS_TLS = ("--grpc-use-ssl", "--grpc-server-cert", "--grpc-server-key", "--grpc-root-cert")


@dataclass(frozen=True, slots=True)
class ServeRequest:
    """A server's store, encoder, ports and settings."""

    store: Annotated[
        str | None, STORE_IN_USE, Parameter(show_default=shows(f"lmdb:{HOME / 'store'}"))
    ] = None
    """Store of the users: lmdb:DIRECTORY, or valkey://HOST:PORT/NAMESPACE for many servers."""
    encoder: Annotated[Path | None, ENCODER_IN_USE, Parameter(show_default=KEPT_ENCODER)] = None
    """Directory of the encoder, as `penchant export` writes it."""
    grpc_port: _Port = 8001
    """Port for gRPC; 0: any free one."""
    http_port: _Port = 8000
    """Port for HTTP; 0: any free one."""
    metrics_port: _Port = 8002
    """Port for the metrics; 0: any free one."""
    host: str = "127.0.0.1"
    """Address to listen on for gRPC; 0.0.0.0 admits other machines."""
    http_host: str = "127.0.0.1"
    """Address to listen on for HTTP."""
    metrics_host: str = "127.0.0.1"
    """Address to listen on for the metrics; 0.0.0.0 admits a Prometheus elsewhere."""
    tls: Path | None = None
    """Directory with tls.crt, tls.key and, if each client shall need a certificate, the clients'
    authorities as ca.crt, as `penchant certs` writes it for a server; HTTP then stays on this
    machine."""
    tls_cert: Path | None = None
    """Certificate of the gRPC endpoint, as a PEM file."""
    tls_key: Path | None = None
    """Key of the certificate, as a PEM file."""
    tls_ca: Path | None = None
    """Authorities of the clients' certificates, as a PEM file; then each client needs one."""
    tokens: Annotated[TokenOptions, FLAT] = NO_TOKENS
    """Who may call."""
    insecure: Flag = False
    """Serve other machines without asking for tokens: whoever reaches gRPC or HTTP may then do
    everything."""
    rank_instances: Annotated[int, Parameter(validator=Number(gte=1))] = 2
    """Number of processes that rank."""
    settings: Annotated[Pairs, Parameter(name="--set")] = ()
    """A setting of the models; repeatable."""
    triton_arguments: Annotated[
        tuple[str, ...],
        Parameter(name="--triton-arg", metavar="ARGUMENT", allow_leading_hyphen=True),
    ] = ()
    """An argument for tritonserver, as in --triton-arg=--log-verbose=1; repeatable."""
    refresh_every: Interval = 300.0
    """Look for new events this often, and refresh item vectors and weights when enough came;
    never: leave that to `penchant refresh`."""
    otlp_endpoint: str | None = None
    """Address of an OpenTelemetry collector for OTLP over HTTP, as in http://collector:4318; then
    calls that their callers sample are traced to it, step by step. Needs the extra `trace`."""
    timeout: Annotated[float, Parameter(validator=Number(gte=1))] = 120
    """Time limit of the start, in seconds."""
    stuck_after: Annotated[float, Parameter(validator=Number(gte=5))] = 20
    """Seconds without an answer after which an idle model counts as stuck."""


@dataclass(frozen=True, slots=True)
class ServeEvents:
    """Callbacks for the events of a server's life."""

    up: Callable[[Server, Mapping[str, str]], None]
    """Each model has answered a request; receives the server and the models' parameters."""
    watch: WatchEvents
    """Faults and restarts."""
    stopping: Callable[[], None]
    """The server was interrupted and is about to stop."""


def serve(request: ServeRequest, events: ServeEvents) -> None:
    """Runs a Triton with Penchant's models until a KeyboardInterrupt, and then stops it.

    A Triton that ends by itself, or a model process that dies or is stuck, is started again on the
    same ports. A second KeyboardInterrupt, while it stops, kills it. A clock beside it refreshes
    the store (`refresh_every`).

    Raises:
        LaunchError: the server cannot be started, or would be open to everybody on the network; one
            that was up is started again without end.
        ConfigError: an unknown setting, a value outside its range, or a directory that is no
            encoder.
    """
    parameters = parameters_of(request)
    check_encoder(Path(parameters["encoder"]))
    hosts = Hosts(request.host, request.http_host, request.metrics_host)
    check_exposure(hosts, parameters, request.triton_arguments, insecure=request.insecure)
    keys = parameters.get("token_keys")
    if keys:
        read_key_file(Path(keys))
    server = Server(
        HOME / f"serve-{request.grpc_port}",
        parameters,
        hosts=hosts,
        ports=Ports(request.grpc_port, request.http_port, request.metrics_port),
        instances={"penchant_rank": request.rank_instances},
        tls=tls_of(request),
        arguments=request.triton_arguments,
        environment=_trace_environment(request.otlp_endpoint),
        start_timeout_s=request.timeout,
    )
    clock = None
    if request.refresh_every is not None:
        clock = RefreshProcess(
            parameters["store"],
            request.refresh_every,
            server.directory,
            events.watch.remark,
            tenants=bool(keys),
            state_dir=parameters.get("state_dir", ""),
        )
    supervisor = Supervisor(server, events.watch, request.stuck_after, clock)
    try:
        supervisor.start()
        events.up(server, parameters)
        supervisor.watch()
    except KeyboardInterrupt:
        events.stopping()
        supervisor.stopped()
    finally:
        try:
            if clock is not None:
                clock.stop()
        finally:
            server.stop()


def parameters_of(request: ServeRequest) -> dict[str, str]:
    """The parameters of every model; see `gather`."""
    settings = (*request.settings, *request.tokens.settings())
    return gather(request.store, request.encoder, settings)


def _trace_environment(endpoint: str | None) -> dict[str, str]:
    """The environment that makes the models export traces.

    Raises:
        LaunchError: the endpoint is no address of HTTP.
        ConfigError: the extra `trace` is not installed.
    """
    if endpoint is None:
        return {}
    if not endpoint.startswith(("http://", "https://")):
        raise LaunchError(
            f"otlp-endpoint: got {endpoint!r}, expected an address such as http://collector:4318"
        )
    check_installed()
    return {ENDPOINT: endpoint}


def tls_of(request: ServeRequest) -> ServerTls | None:
    """The files of the server's TLS; None: no encryption.

    Raises:
        LaunchError: they are incomplete, or contradict other options.
    """
    for argument in request.triton_arguments:
        if argument.startswith(_TRITONS_TLS):
            raise LaunchError(
                f"--triton-arg: got {argument!r}, expected --tls for TLS: the health check needs "
                "the files too"
            )
    tls = ServerTls.of(request.tls, request.tls_cert, request.tls_key, request.tls_ca)
    hosts = Hosts(http=request.http_host)
    if tls is not None and "http" in hosts.public():
        raise LaunchError(
            f"http-host: got {request.http_host}, expected an address of this machine alone: the "
            "server speaks TLS, and Triton's HTTP can't; callers elsewhere use gRPC, or a proxy "
            "with TLS in front of 127.0.0.1"
        )
    return tls
