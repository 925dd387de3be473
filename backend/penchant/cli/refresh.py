"""`penchant refresh`: item vectors from texts and the event log, beside a running server."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, NoReturn

from cyclopts import Parameter

from penchant.cli.client import counted
from penchant.cli.step_status import step_status
from penchant.domain.errors import ConfigError
from penchant.refresh import refresh as job
from penchant.refresh.refresh import RefreshRequest
from penchant.report.printable import printable
from penchant.report.terminal import Terminal, terminal
from penchant.system.interval import Interval
from penchant.system.option_types import FLAT, Flag

_DEFAULTS = RefreshRequest()


def refresh(
    *,
    request: Annotated[RefreshRequest, FLAT] = _DEFAULTS,
    every: Annotated[
        Interval, Parameter(help="Refresh again and again: look for new events this often.")
    ] = None,
    tenants: Annotated[
        Flag, Parameter(help="With --every: refresh the stores of all tenants of the server too.")
    ] = False,
) -> None:
    """Moves items that are liked together towards each other, and publishes a new version.

    A running server may stay up and follows at its next request; it needs the same settings. With
    --every it runs until it is ended, and refreshes whenever enough events are new; `penchant
    serve` runs such a clock by itself.
    """
    console = terminal()
    if every is not None:
        _run_clock(console, request, every, tenants=tenants)
    if tenants:
        raise ConfigError("--tenants: got it without --every; name one tenant's own --store")
    with step_status(console, "Opening the store") as progress:
        result = job.refresh(request, progress)
    for line in result.left_out.notes():
        console.say(printable(line), "yellow")
    console.print(
        f"Learnt from {counted(result.events, 'event')}: {counted(result.moved, 'item')} moved "
        f"away from the text alone. Catalog version {result.head.version}.",
        soft_wrap=True,
    )
    console.print(result.weights.sentence, soft_wrap=True)


def _run_clock(
    console: Terminal, request: RefreshRequest, every_s: float, *, tenants: bool
) -> NoReturn:
    from penchant.refresh.refresh_clock import RefreshClock
    from penchant.refresh.tenant_clocks import TenantClocks

    if request.events is not None:
        raise ConfigError(
            f"--every: got one with --events {request.events}, expected either: a clock follows "
            "the store's own log"
        )

    def say(text: str) -> None:
        console.say(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S%z} {printable(text)}")

    if tenants:
        TenantClocks(request, every_s).run(say)
    RefreshClock(request, every_s).run(say)
