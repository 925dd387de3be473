"""`penchant serve`: a Triton with Penchant's models, until Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from types import FrameType
from typing import Annotated

from penchant.cli.next_steps import command_line
from penchant.domain.errors import StateCorrupt, StoreUnavailable
from penchant.launch import Server
from penchant.launch.certificate_dates import server_complaints
from penchant.launch.model_parameters import changes_to_store
from penchant.launch.ports import Hosts
from penchant.launch.serve import ServeEvents, ServeRequest, parameters_of, tls_of
from penchant.launch.serve import serve as run_serve
from penchant.launch.store_promise import durability_of
from penchant.launch.supervise import WatchEvents
from penchant.launch.vital_signs import Fault
from penchant.report.terminal import terminal
from penchant.server.kept_settings import REBUILT
from penchant.store.address import is_network
from penchant.system.interval import shown_interval
from penchant.system.option_types import FLAT

_DEFAULTS = ServeRequest()


def serve(*, request: Annotated[ServeRequest, FLAT] = _DEFAULTS) -> None:
    """Runs a Triton with Penchant's models until Ctrl-C or SIGTERM.

    The server is up when each model has answered a real request. A Triton that ends by itself, or a
    model that dies or is stuck, is started again on the same ports. A process beside it refreshes
    item vectors and the score's weights as events come (--refresh-every).
    """
    console = terminal()
    status = console.status("Starting Triton")

    def say(text: str) -> None:
        # Where nobody reads any more (rich then exits), or the disk is full, the server must go on.
        with suppress(OSError, SystemExit):
            console.say(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S%z} {text}")

    def up(server: Server, parameters: Mapping[str, str]) -> None:
        status.stop()
        with suppress(OSError, SystemExit):
            for line in _warnings(request, knows_callers="token_keys" in parameters):
                console.say(line)
            console.say(_summary(server, parameters, request.refresh_every))
            console.say(_way_in(tls=tls_of(request) is not None, parameters=parameters))

    def fault(fault: Fault, wait_s: float) -> None:
        when = f" in {wait_s:g} s" if wait_s else ""
        say(f"{fault.text}\nStarting the server again{when}.")

    def back(server: Server, took_s: float) -> None:
        say(f"The server is up again on {server.target}, {took_s:.1f} s after the fault.")

    def stopping() -> None:
        status.stop()
        with suppress(OSError, SystemExit):
            console.say("Stopping.")

    for line in _changes(parameters_of(request)):
        console.say(line)
    with _signals_as_interrupts(), status:
        run_serve(request, ServeEvents(up, WatchEvents(say, fault, back), stopping))


def _warnings(request: ServeRequest, *, knows_callers: bool) -> list[str]:
    hosts = Hosts(request.host, request.http_host, request.metrics_host)
    public = hosts.public()
    lines = []
    if public:
        where = ", ".join(f"{name} on {hosts.of(name)}" for name in public)
        lines.append(
            f"Warning: other machines can reach {where}. "
            + (
                "Tokens decide who may do what there."
                if knows_callers
                else "Whoever reaches gRPC or HTTP can read, change and forget every user; see the "
                "page on security."
            )
        )
    tls = tls_of(request)
    if "grpc" in public and tls is None:
        lines.append("Warning: gRPC is not encrypted: set --tls, after `penchant certs`.")
    if "http" in public and knows_callers:
        lines.append("Warning: HTTP is not encrypted: who sees the network sees its tokens.")
    if tls is not None:
        lines += [f"Warning: {text}; renew it and restart." for text in server_complaints(tls)]
    return lines


def _summary(server: Server, parameters: Mapping[str, str], refresh_every_s: float | None) -> str:
    refresh = "never by itself (--refresh-every)"
    if refresh_every_s is not None:
        refresh = f"every {shown_interval(refresh_every_s)}, if enough events are new"
    target = ("--target", server.target)
    return "\n".join(
        [
            "Penchant is up.",
            f"  gRPC     {server.target}",
            f"  HTTP     {server.http_url}",
            f"  metrics  {server.metrics_url}",
            f"  store    {parameters['store']}",
            *_promise(parameters["store"]),
            f"  encoder  {parameters['encoder']}",
            f"  log      {server.log_path}",
            f"  callers  {_callers(parameters)}",
            f"  refresh  {refresh}",
            "Try next:",
            f"  {command_line('doctor', *target, '--store', parameters['store'])}",
            f"  {command_line('import', '--help')}",
            f"  {command_line('rank', 'anybody', *target)}",
        ]
    )


def _way_in(*, tls: bool, parameters: Mapping[str, str]) -> str:
    """What the commands above need beside, as only the caller knows where that lies."""
    needs = []
    if tls:
        needs.append("--tls with a client's directory (penchant certs), and its server's name")
    if "token_keys" in parameters:
        needs.append("--token-file with a caller's token (penchant token)")
    return "\n".join([*(f"  each with {need}" for need in needs), "Ctrl-C stops it."])


def _promise(address: str) -> list[str]:
    """What an acknowledged commit survives, where that depends on how the store is configured."""
    try:
        return [f"  commits  {durability_of(address)[0]}"] if is_network(address) else []
    except StoreUnavailable as error:
        return [f"  commits  {error}"]


def _callers(parameters: Mapping[str, str]) -> str:
    keys = parameters.get("token_keys")
    return f"with a token of a key in {keys}" if keys else "everybody (--token-keys)"


def _changes(parameters: Mapping[str, str]) -> Iterator[str]:
    """Lines about settings that are not those that the store was last served with."""
    try:
        changes = changes_to_store(parameters)
    except StateCorrupt as error:
        yield f"{error}. Those given here count from now on, and defaults for the others."
        return
    for name, (now, before) in changes.items():
        yield f"Setting {name}: {now} from now on, {before} before."
    if changes.keys() & REBUILT:
        rebuild = command_line("rebuild", "--store", parameters["store"])
        yield f"To bring the records of users up to date, once it is up: `{rebuild}`"


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
