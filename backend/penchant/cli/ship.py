"""`penchant ship`: the event log as Parquet files, once or again and again."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Annotated, NoReturn

from cyclopts import Parameter

from penchant.cli.client import counted
from penchant.cli.step_status import step_status
from penchant.domain.errors import ConfigError
from penchant.report.printable import printable
from penchant.report.terminal import Terminal, terminal
from penchant.shipping import ship as job
from penchant.shipping.ship import ShipRequest, ShipResult
from penchant.system.interval import Interval
from penchant.system.option_types import FLAT
from penchant.system.redacted_address import redacted

_DEFAULTS = ShipRequest()


def ship(
    *,
    request: Annotated[ShipRequest, FLAT] = _DEFAULTS,
    every: Annotated[
        Interval, Parameter(help="Ship again and again: look for new rows this often.")
    ] = None,
) -> None:
    """Ships the event log of a store to Parquet files by day, each row exactly once.

    A running server may stay up. The next run ships only what is new, and what changed: users who
    were forgotten or merged since are so in the files, too, for every command that reads them.
    """
    console = terminal()
    if request.end:
        if request.to or request.compact or request.trim_older is not None or every is not None:
            raise ConfigError("--end: got it with other options, expected it alone")
        console.say(printable(f"This store ships no more to {job.end_shipping(request)}."))
        return
    if every is not None:
        _run(console, request, every)
    with step_status(console, "Opening the store") as progress:
        result = job.ship(request, progress)
    for line in _lines(result):
        console.say(printable(line))


def _run(console: Terminal, request: ShipRequest, every_s: float) -> NoReturn:
    from penchant.shipping.ship_clock import ShipClock

    def say(text: str) -> None:
        console.say(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S%z} {printable(text)}")

    clock = ShipClock(request, every_s)
    while True:
        look = clock.look()
        if look.result is None:
            say(look.trouble)
        elif look.changed:
            say(" ".join(_lines(look.result)))
        time.sleep(look.wait_s)


def _lines(result: ShipResult) -> list[str]:
    report = result.report
    lines = [
        f"Shipped {counted(report.rows, 'event')} in {counted(report.files, 'file')} to "
        f"{redacted(result.url)}: commit {report.sequence}."
    ]
    if report.recounted:
        lines.append(
            "The store and the files had gone apart (a restored backup, or a run that was killed): "
            "every row was compared."
        )
    if report.forgotten:
        lines.append(
            f"{counted(report.forgotten, 'forgotten user')} can no longer be read from the files; "
            "`penchant ship --compact` deletes the rows."
        )
    done = result.rewritten
    if done is not None:
        lines.append(
            f"Rewrote {counted(done.files_before, 'file')} ({done.bytes_before:,} bytes) as "
            f"{counted(done.files_after, 'file')} ({done.bytes_after:,} bytes): "
            f"{counted(done.rows_gone, 'row')} and all of {counted(done.erased, 'forgotten user')} "
            "are gone."
        )
    trimmed = result.trimmed
    if trimmed is not None:
        lines.append(
            f"Deleted {counted(trimmed.events, 'event')} of {counted(trimmed.users, 'user')} from "
            "the store."
        )
        if trimmed.waiting:
            lines.append(f"{counted(trimmed.waiting, 'user')} will follow once all is shipped.")
        if trimmed.unreadable:
            lines.append(
                f"Something of {counted(trimmed.unreadable, 'user')} can't be read, and stays: "
                "`penchant rebuild` mends what it can."
            )
    return lines
