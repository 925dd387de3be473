"""`penchant migrate`: from one server on LMDB to many on Valkey, or back."""

from __future__ import annotations

import signal
from typing import Annotated

from penchant.cli.client import counted
from penchant.cli.next_steps import command_line, next_steps
from penchant.cli.step_status import step_status
from penchant.launch import migrate as job
from penchant.launch.migrate import MigrateRequest, MigrateResult, MoveReport
from penchant.report.printable import printable
from penchant.report.terminal import Terminal, terminal
from penchant.store.address import is_network, shown
from penchant.store.keys import decode
from penchant.system.option_types import FLAT

_DAMAGED_SHOWN = 5


def migrate(*, request: Annotated[MigrateRequest, FLAT]) -> int | None:
    """Moves a store from LMDB to Valkey, or back: every row, byte for byte.

    Without --finish, the source's servers stay up: the store is copied, and compared again until
    little is left. Run it as often as you like. Then stop the source's servers and run it with
    --finish, which brings over the rest, verifies every row, and hands over. Ctrl-C stops; the same
    command goes on.
    """
    console = terminal()
    try:
        with step_status(console, "Opening the stores") as progress:
            result = job.migrate(request, progress)
    except KeyboardInterrupt:
        console.say("Stopped by you; the same command goes on.")
        return 128 + signal.SIGINT
    for report in result.stores:
        _show(console, report)
    _show_next(console, request, result)
    return None


def _show(console: Terminal, report: MoveReport) -> None:
    if not report.passes:
        console.say(printable(f"{report.source} has moved to {report.target} already."))
        return
    last = report.passes[-1]
    last_s = report.seconds[-1]
    written = sum(one.written for one in report.passes)
    deleted = sum(one.deleted for one in report.passes)
    console.say(
        printable(
            f"{report.source} to {report.target}: {counted(last.source.rows, 'row')} of "
            f"{counted(last.users, 'user')} compared, {written:,} written, "
            f"{deleted:,} deleted. The last pass, number {len(report.passes)}, took {last_s:.1f} s "
            f"and found {last.changed:,} that differed."
        )
    )
    for key in last.damaged[:_DAMAGED_SHOWN]:
        console.say(printable(f"Damaged in the source, copied as it is: {_name(key)}"), "yellow")
    if len(last.damaged) > _DAMAGED_SHOWN:
        more = len(last.damaged) - _DAMAGED_SHOWN
        console.say(f"Damaged in the source, copied as they are: {more:,} more", "yellow")
    for remark in report.remarks:
        line = f"Not brought along: {remark}; the new server makes what it can from the rows"
        console.say(printable(line), "yellow")
    if report.finished:
        console.say(
            f"Verified, checksums of both: {last.target.users} over "
            f"{counted(last.target.users.rows, 'row')} of users, {last.target.rest} over "
            f"{counted(last.target.rest.rows, 'other')}. Handed over; writes were refused for "
            f"{report.refused_s:.1f} s by this command, and while no server was up."
        )


def _name(key: bytes) -> str:
    """The kind of a row and the parts of its key."""
    try:
        kind, parts = decode(key)
    except ValueError:
        return repr(key)
    return f"{kind.name.lower()} {' '.join(map(repr, parts))}".rstrip()


def _show_next(console: Terminal, request: MigrateRequest, result: MigrateResult) -> None:
    source, target = shown(request.source), shown(request.target)
    if result.stores[-1].finished:
        if result.release:
            console.say(
                printable(
                    f"Release {result.release} serves: bring the folders of releases to where the "
                    "new servers look for them (setting releases_dir)."
                )
            )
        if result.name_keys:
            console.say("The new servers need the file of pseudonym keys, too.")
        if is_network(request.target):
            console.say("Keep the audit log of the old directory; each new server begins its own.")
        next_steps(console, {command_line("serve", "--store", target): ""}, "Serve it:")
        return
    finish = command_line("migrate", "--from", source, "--to", target, "--finish")
    next_steps(console, {finish: ""}, "Stop the source's servers, and then:")
