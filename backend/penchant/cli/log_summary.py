"""Prints the size of a log that a command has read, and the rows left out of it."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from penchant.logs.refusals import LeftOut
from penchant.logs.stream import Stream


def show_log(console: Console, stream: Stream, left_out: LeftOut, relevant: str) -> None:
    """Prints the numbers of items, events and users, and why rows were left out or changed.

    Args:
        console: prints the lines.
        stream: the log.
        left_out: rows that were refused, with their reasons.
        relevant: term for the events that count as a hit.
    """
    console.print(
        f"{len(stream.items):,} items, {len(stream.events):,} events of "
        f"{len(stream.users):,} users; a hit is {relevant}"
    )
    for line in left_out.notes():
        console.print(Text(line, "yellow"), soft_wrap=True)
