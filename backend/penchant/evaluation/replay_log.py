"""The log of an evaluation, and the definition of a hit in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any

from cyclopts import Parameter

from penchant.config import Config
from penchant.domain.objective import ALL_LIKES, find_objective
from penchant.logs.log_source import GOOD_RATING, LogSource
from penchant.logs.read_log import read_log
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import POSITIVE
from penchant.logs.stream import Stream, likes_by_signal, with_objective
from penchant.system.option_types import FLAT


@dataclass(frozen=True, slots=True)
class JudgedLog:
    """A log, the events in it that count as hits, and the settings to learn with for them."""

    stream: Stream
    config: Config
    """The server's settings, with the objective that the hits suggest."""
    hits: str
    """The term that defines a hit, for people."""
    sentence: str
    """What the objective is, and why; empty where there was nothing to choose from."""


def judged_by(stream: Stream, config: Config, relevant: str, otherwise: str) -> JudgedLog:
    """A log with the hits of its objective, unless the user said which events are hits.

    Args:
        stream: the log, with the hits that `relevant` or `otherwise` defines.
        config: the server's settings.
        relevant: the term that the user gave; empty: none.
        otherwise: the term of relevance of a log without an objective.
    """
    if relevant:
        objective = config.objective or objective_of_term(relevant)
        known = objective in config.signals or objective == ALL_LIKES
        return JudgedLog(
            stream, replace(config, objective=objective) if known else config, relevant, ""
        )
    found = find_objective(likes_by_signal(stream), config.signals, config.objective)
    if found.signals:
        return JudgedLog(with_objective(stream, found.signals), config, found.term, found.sentence)
    return JudgedLog(stream, config, otherwise, found.sentence)


def objective_of_term(relevant: str) -> str:
    """The objective that goes with a term of relevance.

    >>> objective_of_term("signal=purchase"), objective_of_term("rating>=4")
    ('purchase', 'all')
    """
    field, equals, name = relevant.replace("==", "=").partition("=")
    return name.strip() if equals and field.strip() == "signal" else ALL_LIKES


OnLog = Callable[[Stream, LeftOut, str], None]
"""Called with a log, the rows left out of it, and the term that defines its hits."""


def ignore_log(stream: Stream, left_out: LeftOut, hits: str) -> None:
    """Ignores the contents of a log."""


def default_hits(_: Any) -> str:
    """What `--relevant` is by default, for the help of commands."""
    return f"those of the objective, or {POSITIVE}; {GOOD_RATING} for movielens"


@dataclass(frozen=True, slots=True)
class ReplayLog:
    """The source of a log, and the events in it that count as hits."""

    source: Annotated[LogSource, FLAT] = LogSource()
    relevant: Annotated[str, Parameter(metavar="TERM", show_default=default_hits)] = ""
    """Events that count as hits: 'rating>=4', 'reward>0.5', signal=purchase."""

    @property
    def hits(self) -> str:
        """The term that defines a hit: the given one, or the default of the source."""
        return self.relevant or self.source.default_relevance

    def read_for(self, config: Config, nothing: str, on_log: OnLog = ignore_log) -> JudgedLog:
        """Reads the log, whose hits are those of its objective unless `relevant` was given.

        Args:
            config: the server's settings.
            nothing: first words of the error for a source that names no log.
            on_log: called once the log is read.

        Raises:
            ConfigError: the options contradict each other, a file can't be read, or no event is
                left.
        """
        left_out = LeftOut()
        stream = read_log(self.source, config.signals, self.hits, left_out, nothing)
        config = replace(config, signals=stream.signals)
        judged = judged_by(stream, config, self.relevant, self.source.default_relevance)
        if judged.sentence:
            left_out.assumed.append(judged.sentence)
        on_log(judged.stream, left_out, judged.hits)
        return judged
