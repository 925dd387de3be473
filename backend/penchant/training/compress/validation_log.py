"""The log that a compressed encoder is measured on: options of `penchant prune` and `quantize`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from penchant.domain.errors import ConfigError
from penchant.evaluation.model_settings import config_of
from penchant.logs.log_source import GOOD_RATING, LogSource
from penchant.logs.read_log import read_log
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import POSITIVE
from penchant.logs.stream import Stream, first_events
from penchant.system.option_types import FLAT, Pairs
from penchant.training.validation_rankings import ValidationRankings

MAX_RANKINGS = 4000
"""Maximum number of rankings per measurement, so that a search with many of them takes minutes."""


@dataclass(frozen=True, slots=True)
class ValidationLog:
    """A log whose newest part an encoder is measured on."""

    validation_fraction: float = 0.1
    """Share of the events, the newest, to rank for; above 0, below 1."""
    log_fraction: float = 1.0
    """Share of the events to use, the oldest; above 0, to 1."""
    log: Annotated[LogSource, FLAT] = LogSource()
    settings: Annotated[Pairs, Parameter(name="--set")] = ()
    """A setting of the models; repeatable."""
    relevant: Annotated[
        str,
        Parameter(metavar="TERM", show_default=f"{POSITIVE}; {GOOD_RATING} for movielens"),
    ] = ""
    """Events that count as a hit: 'rating>=4', 'reward>0.5', signal=purchase."""

    @property
    def hits(self) -> str:
        """`relevant`, or its default for the log."""
        return self.relevant or self.log.default_relevance


def read_rankings(
    chosen: ValidationLog, encoder: Path, on_read: Callable[[Stream, LeftOut], None]
) -> ValidationRankings:
    """Reads a log and chooses the rankings to measure encoders by.

    Args:
        chosen: the log and the part to rank for.
        encoder: directory of the encoder, as a setting of the server.
        on_read: called once the log is read, with the rows left out of it.

    Raises:
        ConfigError: an option is wrong, the log can't be read, or nothing can be ranked for.
    """
    if not 0 < chosen.log_fraction <= 1:
        raise ConfigError(f"log_fraction: got {chosen.log_fraction}, expected above 0 to 1")
    config = config_of(encoder, chosen.settings, chosen.log.store)
    left_out = LeftOut()
    stream = read_log(chosen.log, config.signals, chosen.hits, left_out, "nothing to measure on")
    config = dataclasses.replace(config, signals=stream.signals)
    on_read(stream, left_out)
    stream = first_events(stream, int(chosen.log_fraction * len(stream.events)))
    return ValidationRankings.of_newest(stream, chosen.validation_fraction, config, MAX_RANKINGS)
