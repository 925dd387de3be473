"""The validation part: the newest events of the log, each ranked for before it is learnt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from cyclopts import Parameter

from penchant.domain.errors import ConfigError
from penchant.evaluation.targets import (
    CANDIDATES,
    EvaluationTargets,
    ReplayConfig,
    choose_targets,
)
from penchant.logs.stream import Stream


@dataclass(frozen=True, slots=True)
class Validation:
    """Which events are ranked for.

    >>> Validation(fraction=0.0)
    Traceback (most recent call last):
    ...
    penchant.domain.errors.ConfigError: validation_fraction: got 0.0, expected above 0 to 1
    """

    fraction: Annotated[float, Parameter(name="--validation-fraction")] = 0.1
    """Share of the events, the newest, to rank for, above 0 to 1."""
    max_rankings: int = 10_000
    """Upper limit of rankings; above it, evenly spaced ones are kept, 1 or more."""
    candidates: str = "unseen"
    """unseen: items that the user has no event about yet; all: the whole catalog."""

    def __post_init__(self) -> None:
        if not 0 < self.fraction <= 1:
            raise ConfigError(f"validation_fraction: got {self.fraction}, expected above 0 to 1")
        if self.max_rankings < 1:
            raise ConfigError(f"max_rankings: got {self.max_rankings}, expected 1 or more")
        if self.candidates not in CANDIDATES:
            raise ConfigError(f"candidates: got {self.candidates!r}, expected unseen or all")

    def choose(self, stream: Stream) -> tuple[ReplayConfig, EvaluationTargets]:
        """The replay configuration and the events to rank for, the same for both sides.

        Raises:
            ConfigError: no event of the part can be ranked for.
        """
        replay_config = ReplayConfig(1 - self.fraction, refresh_every=0, candidates=self.candidates)
        targets = choose_targets(stream, replay_config)
        every = -(-len(targets.positions) // self.max_rankings)
        if every == 1:
            return replay_config, targets
        replay_config = replace(replay_config, every=every)
        return replay_config, choose_targets(stream, replay_config)
