"""The style of the demos' tables, and the table of latencies that two of them share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from penchant.report.quantile import quantile


def demo_table(
    title: str, *columns: str, numbers: Collection[str] = (), show_footer: bool = False
) -> Table:
    """An empty table in the demos' style.

    Args:
        title: bold title, at the left.
        columns: headings, in order; text too long for its column is folded.
        numbers: headings of the columns that hold numbers, aligned right and never folded.
        show_footer: whether columns have footers.
    """
    table = Table(
        title=Text(title, style="bold"),
        title_justify="left",
        box=SIMPLE,
        padding=(0, 1, 0, 0),
        show_footer=show_footer,
    )
    for column in columns:
        if column in numbers:
            table.add_column(column, justify="right", no_wrap=True)
        else:
            table.add_column(column, overflow="fold")
    return table


def latency_table(calls: Mapping[str, Sequence[float]]) -> Table:
    """Number of calls, p50 and p99 in milliseconds by kind of call, as the client measured them.

    Args:
        calls: seconds of each call, by a description of the call.
    """
    headings = ("calls", "p50 ms", "p99 ms")
    table = demo_table("Latency, one call at a time", "call", *headings, numbers=headings)
    for name, seconds in calls.items():
        cells = [
            f"{quantile(seconds, share) * 1e3:.2f}" if seconds else "–" for share in (0.5, 0.99)
        ]
        table.add_row(name, f"{len(seconds):,}", *cells)
    return table
