"""Reads a log for a command, and says how much there is and what was left out."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from penchant.domain.rewards import SignalTable
from penchant.logs.columns import EventColumns
from penchant.logs.log_source import EVENT_FIELDS, LogSource, mapped_fields
from penchant.logs.read_log import read_log as read
from penchant.logs.refusals import LeftOut
from penchant.logs.stream import Stream


def event_columns(mapped: Sequence[str] | None, signal: str, time_unit: str) -> EventColumns:
    """Where an event's fields are, by `COLUMN=FIELD` options; ConfigError where one is wrong."""
    fields = mapped_fields(tuple(mapped or ()), EVENT_FIELDS)
    return EventColumns(constant_signal=signal, time_unit=time_unit, **fields)


def read_log(
    console: Console, source: LogSource, signals: SignalTable, relevant: str, nothing: str
) -> Stream:
    """The log as a replay takes it; says how much there is, and what was left out.

    Args:
        console: where to say it.
        source: where it is.
        signals: what each signal is worth.
        relevant: which events count as a hit; see `parse_relevance`.
        nothing: the beginning of the error where no file is named.

    Raises:
        ConfigError: the options do not fit, or a file can't be read.
    """
    left_out = LeftOut()
    stream = read(source, signals, relevant, left_out, nothing)
    console.print(
        f"{len(stream.items):,} items, {len(stream.events):,} events of "
        f"{len(stream.users):,} users; a hit is {relevant}"
    )
    for kind, count in left_out.counts.items():
        line = f"Left out, {kind}: {count:,} (first: {left_out.first[kind]})"
        console.print(Text(line, "yellow"), soft_wrap=True)
    return stream
