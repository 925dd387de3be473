"""`penchant rebuild`: records, counters, ledgers and budgets from the logs."""

from __future__ import annotations

from typing import Annotated

from penchant.cli.client import counted
from penchant.cli.step_status import step_status
from penchant.refresh import rebuild as job
from penchant.refresh.rebuild import RebuildRequest
from penchant.report.printable import printable
from penchant.report.terminal import terminal
from penchant.service.rebuilt_ledgers import RebuiltLedgers
from penchant.system.option_types import FLAT

_DEFAULTS = RebuildRequest()


def rebuild(request: Annotated[RebuildRequest, FLAT] = _DEFAULTS) -> None:
    """Rebuilds records, counters, ledgers and budgets from the log, under today's settings.

    Records follow a change of the signals or of the window; with them comes the catalog's head, if
    it is damaged. Counters follow a change of the signals or of their half-life, and an upgrade
    from a release that counted events, not users; they also mend damaged counters. Events of
    signals that the table no longer holds are left out and named. Ledgers of reservations and
    budgets follow the log of what was reserved and shown: a rebuild mends damaged and lost ones.

    With --shipped, events that were shipped and trimmed come back into the store first.

    A running server may stay up; it needs the same settings.
    """
    console = terminal()
    with step_status(console, "Opening the store") as progress:
        result = job.rebuild(request, progress)
    if request.shipped_log:
        console.say(f"Put back {counted(result.put_back, 'event')} of the shipped log.")
    parts = []
    if request.part in ("all", "records"):
        parts.append(f"the records of {counted(result.users, 'user')}")
    if request.part in ("all", "counters"):
        parts.append(f"the counters of {counted(result.items, 'item')}")
    if result.head_made_again:
        console.say("The catalog's head was damaged, and is made again from the items.")
    if request.part == "ledgers" or result.ledgers.users or result.ledgers.budgets:
        parts.append(_ledgers(result.ledgers))
    *first, last = parts
    console.say(f"Rebuilt {', '.join(first)}{' and ' if first else ''}{last}.")
    for kind, remedy, count in result.retired.cases():
        line = f"Left out, {kind}: {count:,} ({remedy})"
        console.say(printable(line), "yellow")
    if result.ledgers.unreadable:
        users = counted(result.ledgers.unreadable, "user")
        line = f"The log of {users} can't be read; their ledgers stay, and no budget was lowered"
        console.say(printable(line), "yellow")
    if result.unreadable:
        users = counted(result.unreadable, "user")
        line = f"The log of {users} can't be read; what it had counted stays (see the log above)"
        console.say(printable(line), "yellow")


def _ledgers(made: RebuiltLedgers) -> str:
    """As in `the ledgers of 3 users (1 differed) and 2 budgets (none differed)`."""
    users = f"{counted(made.users, 'user')} ({made.corrected_users or 'none'} differed)"
    budgets = f"{counted(made.budgets, 'budget')} ({made.corrected_budgets or 'none'} differed)"
    return f"the ledgers of {users} and {budgets}"
