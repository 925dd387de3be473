"""One side of a comparison: an encoder with the settings that a server would run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from penchant.config import Config
from penchant.domain.arrays import Float32, Float64
from penchant.domain.errors import ConfigError
from penchant.domain.types import Matrix
from penchant.evaluation.penchant import PenchantRecommender, middle_clock
from penchant.evaluation.replay import replay
from penchant.evaluation.targets import EvaluationTargets, ReplayConfig
from penchant.logs.stream import Stream
from penchant.refresh.refresh_settings import RefreshSettings


class TextEncoder(Protocol):
    """Encodes texts as unit vectors; every `penchant.encoder.base.Encoder` does."""

    def encode(self, texts: Sequence[str]) -> Float32:
        """Unit vectors of the texts, shape (texts, d)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """An encoder with the settings of the fold, of the score and of the middle clock."""

    encoder: TextEncoder | Matrix
    """An encoder, or vectors of the stream's items, shape (items, d).

    With vectors alone, the gates that need other texts are not judged.
    """
    config: Config
    refresh: RefreshSettings | None = None
    """Settings of a refresh before the validation part, which learns the score's weights too, as a
    server's does; None: no refresh."""

    @property
    def text_encoder(self) -> TextEncoder | None:
        """The encoder; None if there are only vectors."""
        return None if isinstance(self.encoder, np.ndarray) else self.encoder

    def vectors(self, texts: Sequence[str]) -> Matrix:
        """Vectors of the stream's items from their texts, shape (texts, d).

        Raises:
            ConfigError: the given vectors are of another number of items.
        """
        if not isinstance(self.encoder, np.ndarray):
            return self.encoder.encode(texts)
        if len(self.encoder) != len(texts):
            raise ConfigError(
                f"encoder: got vectors of {len(self.encoder)} items, expected {len(texts)}"
            )
        return self.encoder

    def ranks(
        self,
        stream: Stream,
        vectors: Matrix,
        targets: EvaluationTargets,
        replay_config: ReplayConfig,
        on_event: Callable[[int], None] = lambda position: None,
    ) -> Float64:
        """Replays the stream once; the rank of each target's item from 1, shape (targets,).

        Args:
            stream: the log.
            vectors: vectors of its items, shape (items, d).
            targets: events to rank for.
            replay_config: the one that the targets were chosen with.
            on_event: called with each position that is done.
        """
        clock = None if self.refresh is None else middle_clock(self.refresh, self.config)
        recommender = PenchantRecommender(self.config, vectors, clock)
        return replay(stream, recommender, targets, replay_config, on_event).rank
