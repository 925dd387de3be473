"""`penchant audit`: who did what to a store's data, and whether anybody altered that log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from cyclopts import App, Parameter
from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from penchant.cli.client import counted
from penchant.launch.audit import (
    ShowAuditRequest,
    VerifyAuditRequest,
    show_audit,
    verify_audit,
)
from penchant.report.printable import printable
from penchant.report.terminal import terminal
from penchant.system.audit_log import AuditRow
from penchant.system.option_types import FLAT

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

app = App(
    name="audit",
    help="Shows or verifies the log of exports, deletions, merges, releases and jobs.",
    default_parameter=Parameter(negative=()),
    result_action="return_value",
)


@app.command
def verify(*, request: Annotated[VerifyAuditRequest, FLAT]) -> int:
    """Checks every seal of the log; exit status 2 if a row was altered, dropped or put in.

    The last row stands for all before it: keep what this prints in another place, and give it to
    --since the next time, so that rows cut off the end are missed.
    """
    check = verify_audit(request)
    console = terminal()
    for fault in check.faults:
        console.say(f"The log was altered: {printable(fault)}.", "red")
    state = "can be trusted" if check.faults else "whole"
    console.say(f"{counted(check.rows, 'row')} {state}; head {check.head}")
    if check.torn_bytes:
        console.say(
            f"A process was killed while it wrote the next row: {check.torn_bytes} bytes of it are "
            "left, and the next row takes their place."
        )
    return 2 if check.faults else 0


@app.command
def show(*, request: Annotated[ShowAuditRequest, FLAT]) -> None:
    """Shows the latest rows, oldest first."""
    rows = show_audit(request)
    console = terminal()
    if not rows:
        console.say("No row yet.")
        return
    console.print(_table(rows))


def _table(rows: list[AuditRow]) -> Table:
    table = Table(box=SIMPLE)
    for name in ("row", "when (UTC)", "actor", "verb", "subject", "note"):
        table.add_column(name, overflow="fold")
    for row in rows:
        when = _EPOCH + timedelta(microseconds=row.at_us)
        table.add_row(
            str(row.seq),
            f"{when:%Y-%m-%d %H:%M:%S}",
            Text(printable(row.actor)),
            row.verb,
            row.subject,
            Text(printable(row.note)),
        )
    return table
