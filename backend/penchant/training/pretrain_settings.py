"""Settings of a continued pretraining, besides its texts and its encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from penchant.domain.errors import ConfigError


@dataclass(frozen=True, slots=True)
class PretrainSettings:
    """How an encoder is pretrained."""

    steps: int = 500
    """Training steps, 1 or more."""
    batch: int = 32
    """Texts per step, 1 or more."""
    learning_rate: float = 5e-5
    """Peak learning rate of all weights, above 0."""
    masked_share: float = 0.15
    """Share of the tokens to mask and predict, above 0, below 1."""
    max_tokens: int = 64
    """Token limit of a text, 3 or more; longer texts are cut."""
    held_out_share: Annotated[float, Parameter(parse=False)] = 0.1
    """Share of the texts kept out of training to measure the loss on, above 0, below 1."""
    save_every: Annotated[int, Parameter(parse=False)] = 100
    """Steps between checkpoints, 1 or more."""
    seed: int = 1
    """Seed of the masks and the order of the texts."""

    def __post_init__(self) -> None:
        for name, least in (("steps", 1), ("batch", 1), ("max_tokens", 3), ("save_every", 1)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name}: got {getattr(self, name)}, expected {least} or more")
        for name in ("masked_share", "held_out_share"):
            if not 0 < getattr(self, name) < 1:
                got = getattr(self, name)
                raise ConfigError(f"{name}: got {got}, expected above 0, below 1")
        if not self.learning_rate > 0:
            raise ConfigError(f"learning_rate: got {self.learning_rate}, expected above 0")
