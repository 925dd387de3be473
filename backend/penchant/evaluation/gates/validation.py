"""The newest part of the log, ranked for event by event after all before it was learnt."""

from __future__ import annotations

from dataclasses import dataclass, replace

from penchant.domain.errors import ConfigError
from penchant.evaluation.targets import EvaluationTargets, ReplayConfig, choose_targets
from penchant.logs.stream import Stream


@dataclass(frozen=True, slots=True)
class Validation:
    """Which events are ranked for.

    >>> Validation(fraction=0.0)
    Traceback (most recent call last):
    ...
    penchant.domain.errors.ConfigError: validation_fraction: got 0.0, expected above 0 to 1
    """

    fraction: float = 0.1
    """The share of the events, the newest, above 0 to 1."""
    max_rankings: int = 10_000
    """Of more, one of every few is taken, the same for both sides, 1 or more."""
    candidates: str = "unseen"
    """See `ReplayConfig.candidates`."""

    def __post_init__(self) -> None:
        if not 0 < self.fraction <= 1:
            raise ConfigError(f"validation_fraction: got {self.fraction}, expected above 0 to 1")
        if self.max_rankings < 1:
            raise ConfigError(f"max_rankings: got {self.max_rankings}, expected 1 or more")

    def choose(self, stream: Stream) -> tuple[ReplayConfig, EvaluationTargets]:
        """How the stream is replayed, and what is ranked for.

        Raises:
            ConfigError: nothing in the part can be ranked for.
        """
        plan = ReplayConfig(1 - self.fraction, refresh_every=0, candidates=self.candidates)
        targets = choose_targets(stream, plan)
        every = -(-len(targets.positions) // self.max_rankings)
        if every == 1:
            return plan, targets
        plan = replace(plan, every=every)
        return plan, choose_targets(stream, plan)
