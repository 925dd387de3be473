"""`penchant serve`: a Triton with Penchant's models, until Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Annotated

from rich.console import Console

from penchant.launch import Server
from penchant.launch.serve import ServeEvents, ServeRequest
from penchant.launch.serve import serve as run_serve
from penchant.system.option_types import FLAT

_DEFAULTS = ServeRequest()


def serve(*, request: Annotated[ServeRequest, FLAT] = _DEFAULTS) -> None:
    """Runs a Triton with Penchant's models until Ctrl-C or SIGTERM.

    The server is up when each model has answered a real request.
    """
    console = Console(soft_wrap=True, highlight=False, markup=False)
    status = console.status("Starting Triton")

    def up(server: Server, parameters: Mapping[str, str]) -> None:
        status.stop()
        console.print(_summary(server, parameters))

    def died(name: str) -> None:
        console.print(f"{name} died, and Triton does not start it again: restart serve.")

    def stopping() -> None:
        status.stop()
        console.print("Stopping.")

    with _signals_as_interrupts(), status:
        run_serve(request, ServeEvents(up, died, stopping))


def _summary(server: Server, parameters: Mapping[str, str]) -> str:
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


@contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    """Makes SIGTERM and SIGHUP end the block as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
