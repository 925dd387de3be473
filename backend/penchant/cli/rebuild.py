"""`penchant rebuild`: records and counters from the logs, after a change or a damage."""

from __future__ import annotations

from typing import Annotated

from penchant.cli.client import counted
from penchant.cli.step_status import step_status
from penchant.refresh import rebuild as job
from penchant.refresh.rebuild import RebuildRequest
from penchant.report.printable import printable
from penchant.report.terminal import terminal
from penchant.system.option_types import FLAT

_DEFAULTS = RebuildRequest()


def rebuild(request: Annotated[RebuildRequest, FLAT] = _DEFAULTS) -> None:
    """Rebuilds users' records and items' counters from the log, under today's settings.

    Records follow a change of the signals or of the window; with them comes the catalog's head, if
    it is damaged. Counters follow a change of the signals or of their half-life, and an upgrade
    from a release that counted events, not users; they also mend damaged counters. Events of
    signals that the table no longer holds are left out and named.

    A running server may stay up; it needs the same settings.
    """
    console = terminal()
    with step_status(console, "Opening the store") as progress:
        result = job.rebuild(request, progress)
    parts = []
    if request.part != "counters":
        parts.append(f"the records of {counted(result.users, 'user')}")
    if request.part != "records":
        parts.append(f"the counters of {counted(result.items, 'item')}")
    if result.head_made_again:
        console.print("The catalog's head was damaged, and is made again from the items.")
    console.print(f"Rebuilt {' and '.join(parts)}.")
    for kind, remedy, count in result.retired.cases():
        line = f"Left out, {kind}: {count:,} ({remedy})"
        console.say(printable(line), "yellow")
    if result.unreadable:
        users = counted(result.unreadable, "user")
        line = f"The log of {users} can't be read; what it had counted stays (see the log above)"
        console.say(printable(line), "yellow")
