"""Prints the size of a log that a command has read, and the rows left out of it."""

from __future__ import annotations

from penchant.cli.client import counted
from penchant.logs.refusals import LeftOut
from penchant.logs.stream import Stream
from penchant.report.printable import printable
from penchant.report.terminal import Terminal


def show_log(console: Terminal, stream: Stream, left_out: LeftOut, relevant: str) -> None:
    """Prints the numbers of items, events and users, and why rows were left out or changed.

    Args:
        console: prints the lines.
        stream: the log.
        left_out: rows that were refused, with their reasons.
        relevant: term for the events that count as a hit.
    """
    console.say(
        f"{counted(len(stream.items), 'item')}, {counted(len(stream.events), 'event')} of "
        f"{counted(len(stream.users), 'user')}; a hit is {relevant}"
    )
    for line in left_out.notes():
        console.say(printable(line), "yellow")
