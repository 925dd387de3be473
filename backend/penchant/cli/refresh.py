"""`penchant refresh`: item vectors from texts and the event log, beside a running server."""

from __future__ import annotations

from typing import Annotated

from penchant.cli.client import counted
from penchant.cli.step_status import step_status
from penchant.refresh import refresh as job
from penchant.refresh.refresh import RefreshRequest
from penchant.report.printable import printable
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT

_DEFAULTS = RefreshRequest()


def refresh(*, request: Annotated[RefreshRequest, FLAT] = _DEFAULTS) -> None:
    """Moves items that are liked together towards each other, and publishes a new version.

    A running server may stay up and follows at its next request; it needs the same settings.
    """
    console = terminal()
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
