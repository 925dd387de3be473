"""`penchant rebuild`: users' records from their logs, after a change of the settings."""

from __future__ import annotations

from typing import Annotated

from penchant.cli.client import counted
from penchant.cli.step_status import step_status
from penchant.refresh import rebuild as job
from penchant.refresh.rebuild import RebuildRequest
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT

_DEFAULTS = RebuildRequest()


def rebuild(*, request: Annotated[RebuildRequest, FLAT] = _DEFAULTS) -> None:
    """Rebuilds every user's record from the log, under today's signals and window.

    A running server may stay up; it needs the same settings.
    """
    console = terminal()
    with step_status(console, "Opening the store") as progress:
        result = job.rebuild(request, progress)
    console.print(f"Rebuilt the records of {counted(result.users, 'user')}.")
