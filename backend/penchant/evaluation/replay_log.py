"""The log of an evaluation, and the definition of a hit in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter

from penchant.domain.rewards import SignalTable
from penchant.logs.log_source import GOOD_RATING, LogSource
from penchant.logs.read_log import read_log
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import POSITIVE
from penchant.logs.stream import Stream
from penchant.system.option_types import FLAT

OnLog = Callable[[Stream, LeftOut, str], None]
"""Called with a log, the rows left out of it, and the term that defines its hits."""


def ignore_log(stream: Stream, left_out: LeftOut, hits: str) -> None:
    """Ignores the contents of a log."""


def _default_hits(_: Any) -> str:
    return f"{POSITIVE}; {GOOD_RATING} for movielens"


@dataclass(frozen=True, slots=True)
class ReplayLog:
    """The source of a log, and the events in it that count as hits."""

    source: Annotated[LogSource, FLAT] = LogSource()
    relevant: Annotated[str, Parameter(metavar="TERM", show_default=_default_hits)] = ""
    """Events that count as hits: 'rating>=4', 'reward>0.5', signal=purchase."""

    @property
    def hits(self) -> str:
        """The term that defines a hit: the given one, or the default of the source."""
        return self.relevant or self.source.default_relevance

    def read(self, signals: SignalTable, nothing: str, on_log: OnLog = ignore_log) -> Stream:
        """Reads the log as a stream in time order.

        Args:
            signals: rewards of the signals.
            nothing: first words of the error for a source that names no log.
            on_log: called once the log is read.

        Raises:
            ConfigError: the options contradict each other, a file can't be read, or no event is
                left.
        """
        left_out = LeftOut()
        stream = read_log(self.source, signals, self.hits, left_out, nothing)
        on_log(stream, left_out, self.hits)
        return stream
