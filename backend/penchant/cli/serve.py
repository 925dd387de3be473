"""`penchant serve`: a Triton with Penchant's models, until Ctrl-C."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console

from penchant.launch import LaunchError, Ports, Server
from penchant.launch.model_parameters import HOME, gather

_LOOK_S = 0.5


def serve(
    store: Annotated[
        str | None,
        typer.Option(help="Where users live: lmdb:DIRECTORY.", show_default="lmdb:.penchant/store"),
    ] = None,
    encoder: Annotated[
        Path | None,
        typer.Option(
            help="The encoder's directory, as `penchant export` writes it.",
            show_default=".penchant/encoder",
        ),
    ] = None,
    grpc_port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 8001,
    http_port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 8000,
    metrics_port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 8002,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 lets everybody in.")
    ] = "127.0.0.1",
    rank_instances: Annotated[int, typer.Option(min=1, help="Processes that rank.")] = 2,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the models; repeatable."),
    ] = None,
    triton_arguments: Annotated[
        list[str] | None,
        typer.Option(
            "--triton-arg",
            metavar="ARGUMENT",
            help="An argument for tritonserver, as in --triton-arg=--log-verbose=1; repeatable.",
        ),
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that the start may take.")] = 120,
) -> None:
    """Runs a Triton with Penchant's models, until Ctrl-C or SIGTERM.

    The server is up when each model has answered a real request.
    """
    console = Console(soft_wrap=True, highlight=False, markup=False)
    parameters = gather(store, encoder, settings or ())
    if not Path(parameters["encoder"]).is_dir():
        raise LaunchError(f"encoder: {parameters['encoder']} is not there")
    server = Server(
        HOME / f"serve-{grpc_port}",
        parameters,
        host=host,
        ports=Ports(grpc_port, http_port, metrics_port),
        instances={"penchant_rank": rank_instances},
        arguments=triton_arguments or (),
        start_timeout_s=timeout,
    )
    with _signals_as_interrupts():
        try:
            with console.status("Starting Triton"):
                server.start()
            console.print(_summary(server, parameters))
            _watch(server, console)
        except KeyboardInterrupt:
            console.print("Stopping.")
        finally:
            server.stop()  # A second Ctrl-C makes it kill.


def _summary(server: Server, parameters: dict[str, str]) -> str:
    return "\n".join(
        [
            "Penchant is up.",
            f"  gRPC     {server.target}",
            f"  HTTP     {server.http_url}",
            f"  metrics  {server.metrics_url}",
            f"  store    {parameters['store']}",
            f"  encoder  {parameters['encoder']}",
            f"  log      {server.log_path}",
            "Try next:",
            f"  penchant doctor --target {server.target} --store {parameters['store']}",
            f"  penchant import items --target {server.target} FILE",
            f"  penchant rank --target {server.target} USER",
            "Ctrl-C stops it.",
        ]
    )


def _watch(server: Server, console: Console) -> None:
    """Returns never: by an interrupt, or because the server died.

    Raises:
        LaunchError: the server ended by itself.
    """
    known = server.pids()
    while server.returncode is None:
        time.sleep(_LOOK_S)
        living = server.pids()
        for name in known.keys() - living.keys():
            if server.returncode is None:
                console.print(f"{name} died, and Triton does not start it again: restart serve.")
        known = living
    raise server.death()


@contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    """SIGTERM and SIGHUP end the block as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
