"""The log that a compressed encoder is measured on: options of `penchant prune` and `quantize`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from penchant.domain.errors import ConfigError
from penchant.evaluation.model_settings import config_of
from penchant.evaluation.replay_log import OnLog, ReplayLog, default_hits
from penchant.logs.log_source import LogSource
from penchant.logs.stream import first_events
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
        Parameter(metavar="TERM", show_default=default_hits),
    ] = ""
    """Events that count as a hit: 'rating>=4', 'reward>0.5', signal=purchase."""


def read_rankings(chosen: ValidationLog, encoder: Path, on_read: OnLog) -> ValidationRankings:
    """Reads a log and chooses the rankings to measure encoders by.

    Args:
        chosen: the log and the part to rank for.
        encoder: directory of the encoder, as a setting of the server.
        on_read: called once the log is read.

    Raises:
        ConfigError: an option is wrong, the log can't be read, or nothing can be ranked for.
    """
    if not 0 < chosen.log_fraction <= 1:
        raise ConfigError(f"log_fraction: got {chosen.log_fraction}, expected above 0 to 1")
    config = config_of(encoder, chosen.settings, chosen.log.store)
    log = ReplayLog(chosen.log, chosen.relevant)
    judged = log.read_for(config, "nothing to measure on", on_read)
    stream, config = judged.stream, judged.config
    stream = first_events(stream, int(chosen.log_fraction * len(stream.events)))
    return ValidationRankings.of_newest(stream, chosen.validation_fraction, config, MAX_RANKINGS)
