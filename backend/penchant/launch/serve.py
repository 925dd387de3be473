"""Serves Penchant: a Triton that runs until it is interrupted, or ends by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from penchant.encoder.bundle import check_encoder
from penchant.launch.model_parameters import HOME, KEPT_ENCODER, gather
from penchant.launch.ports import Ports
from penchant.launch.server import Server
from penchant.system.option_types import ENCODER_IN_USE, STORE_IN_USE, Pairs, shows

_LOOK_S = 0.5

_Port = Annotated[int, Parameter(validator=Number(gte=0, lte=65535))]


@dataclass(frozen=True, slots=True)
class ServeRequest:
    """A server's store, encoder, ports and settings."""

    store: Annotated[
        str | None, STORE_IN_USE, Parameter(show_default=shows(f"lmdb:{HOME / 'store'}"))
    ] = None
    """Store of the users: lmdb:DIRECTORY."""
    encoder: Annotated[Path | None, ENCODER_IN_USE, Parameter(show_default=KEPT_ENCODER)] = None
    """Directory of the encoder, as `penchant export` writes it."""
    grpc_port: _Port = 8001
    """Port for gRPC; 0: any free one."""
    http_port: _Port = 8000
    """Port for HTTP; 0: any free one."""
    metrics_port: _Port = 8002
    """Port for the metrics; 0: any free one."""
    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 admits other machines."""
    rank_instances: Annotated[int, Parameter(validator=Number(gte=1))] = 2
    """Number of processes that rank."""
    settings: Annotated[Pairs, Parameter(name="--set")] = ()
    """A setting of the models; repeatable."""
    triton_arguments: Annotated[
        tuple[str, ...],
        Parameter(name="--triton-arg", metavar="ARGUMENT", allow_leading_hyphen=True),
    ] = ()
    """An argument for tritonserver, as in --triton-arg=--log-verbose=1; repeatable."""
    timeout: Annotated[float, Parameter(validator=Number(gte=1))] = 120
    """Time limit of the start, in seconds."""


@dataclass(frozen=True, slots=True)
class ServeEvents:
    """Callbacks for the events of a server's life."""

    up: Callable[[Server, Mapping[str, str]], None]
    """Each model has answered a request; receives the server and the models' parameters."""
    died: Callable[[str], None]
    """The process of a model instance has died; receives the instance's name."""
    stopping: Callable[[], None]
    """The server was interrupted and is about to stop."""


def serve(request: ServeRequest, events: ServeEvents) -> None:
    """Runs a Triton with Penchant's models until a KeyboardInterrupt, and then stops it.

    A second KeyboardInterrupt, while it stops, kills it.

    Raises:
        LaunchError: the server cannot be started, or has ended by itself.
        ConfigError: an unknown setting, a value outside its range, or a directory that is no
            encoder.
    """
    parameters = gather(request.store, request.encoder, request.settings)
    check_encoder(Path(parameters["encoder"]))
    server = Server(
        HOME / f"serve-{request.grpc_port}",
        parameters,
        host=request.host,
        ports=Ports(request.grpc_port, request.http_port, request.metrics_port),
        instances={"penchant_rank": request.rank_instances},
        arguments=request.triton_arguments,
        start_timeout_s=request.timeout,
    )
    try:
        server.start()
        events.up(server, parameters)
        _watch(server, events)
    except KeyboardInterrupt:
        events.stopping()
    finally:
        server.stop()


def _watch(server: Server, events: ServeEvents) -> None:
    """Reports dead instances until the server ends by itself; raises LaunchError then."""
    known = server.pids()
    while server.returncode is None:
        time.sleep(_LOOK_S)
        living = server.pids()
        for name in known.keys() - living.keys():
            if server.returncode is None:
                events.died(name)
        known = living
    raise server.death()
