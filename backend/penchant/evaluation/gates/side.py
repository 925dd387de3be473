"""What a server would serve: one of the two that a gate compares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.domain.types import Matrix
from penchant.evaluation.penchant import PenchantRecommender, middle_clock
from penchant.evaluation.replay import replay
from penchant.evaluation.targets import EvaluationTargets, ReplayConfig
from penchant.logs.stream import Stream
from penchant.refresh.refresh_settings import RefreshSettings


class TextEncoder(Protocol):
    """Texts to unit vectors; every `penchant.encoder.base.Encoder` is one."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (texts, d)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """An encoder with the settings of the fold, of the score and of the middle clock."""

    encoder: TextEncoder | Matrix
    """Or the vectors of the stream's items, shape (items, d): then other texts are not judged."""
    config: Config
    refresh: RefreshSettings | None = None
    """How `penchant refresh` runs before the validation part; None: not at all."""

    @property
    def text_encoder(self) -> TextEncoder | None:
        """The encoder; None where there are vectors alone."""
        return None if isinstance(self.encoder, np.ndarray) else self.encoder

    def vectors(self, texts: Sequence[str]) -> Matrix:
        """The vectors of the stream's items, whose texts these are, shape (texts, d).

        Raises:
            ConfigError: there are vectors, but of another number of items.
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
        plan: ReplayConfig,
        on_event: Callable[[int], None] = lambda position: None,
    ) -> NDArray[np.float64]:
        """The place of each case's item from 1, by one replay, shape (targets,).

        Args:
            stream: the log.
            vectors: of its items, shape (items, d).
            targets: what is ranked for.
            plan: how the stream is replayed.
            on_event: told each position that is done.
        """
        clock = None if self.refresh is None else middle_clock(self.refresh)
        recommender = PenchantRecommender(self.config, vectors, clock)
        return replay(stream, recommender, targets, plan, on_event).rank
