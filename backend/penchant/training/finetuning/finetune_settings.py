"""All that a fine-tuning depends on besides the log and the encoder it starts from."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field

from penchant.domain.errors import ConfigError
from penchant.training.finetuning.batches import Neighbourhood
from penchant.training.finetuning.losses import NEXT_ITEM, OBJECTIVES, Objective

METHODS = ("full", "lora", "prefix", "prompt")
PRECISIONS = ("auto", "fp32", "bf16", "fp16")


@dataclass(frozen=True, slots=True)
class FinetuneSettings:
    """What is trained, on what, and for how long.

    `docs/measurements/finetuning.md` says how the defaults were chosen, on the first 30 % of
    MovieLens-100K.

    >>> FinetuneSettings(method="lora").digest() == FinetuneSettings().digest()
    False
    """

    objective: str = NEXT_ITEM
    """`next-item`: what is liked next; `rating`: the next reward; `class`: that it is above 0."""
    method: str = "full"
    """`full`: all weights; `lora`: low-rank additions to them, merged at the end; `prefix`,
    `prompt`: vectors before each text, in every layer or before the first alone."""
    dimensions: tuple[int, ...] = (64,)
    """Each is trained to serve alone, as the first so many values; the largest is the width."""
    max_tokens: int = 32
    """Texts are cut after so many tokens while training, 3 or more."""
    frozen_layers: int = 0
    """The embeddings and the first so many layers stay as they are; 0: nothing does."""
    lora_rank: int = 16
    """Rank of the additions, 1 or more."""
    virtual_tokens: int = 10
    """Of `prefix` and `prompt`, 1 or more."""
    head_steps: int = 2000
    """Steps of a new projection alone, before the encoder learns too: seconds in all; 0 or more."""
    steps: int = 300
    """Training steps of the encoder at most; 0: only the projection is trained."""
    segments: int = 16
    """Segments of users' likes in a step, 2 or more: others' likes are the negatives."""
    segment_likes: int = 24
    """Likes in a segment, 2 or more."""
    learning_rate: float = 1e-4
    """Of the encoder's weights, above 0."""
    head_learning_rate: float = 2e-3
    """Of the projection, above 0."""
    warm_up_fraction: float = 0.1
    """Share of the steps in which the learning rate rises, 0 to 1; then it falls to 0."""
    temperature: float = 0.25
    """Of the softmax, above 0."""
    popularity_correction: float = 0.0
    """0: popularity is left to the offsets, which a server adds; 1: the vectors learn it too."""
    nearness: Neighbourhood = field(default_factory=Neighbourhood)
    hard_negatives: int = 0
    """For each segment so many items that lie near it and that its user does not like, 0: none."""
    validation_fraction: float = 0.1
    """Share of the log that chooses when to stop, above 0."""
    test_fraction: float = 0.1
    """Share of the log at its end that is only looked at when all is done, 0 or more."""
    evaluate_every: int = 50
    """Steps between two looks at the validation part, each with a checkpoint, 1 or more."""
    patience: int = 4
    """Looks without a new best before training stops, 1 or more."""
    max_evaluated: int = 2000
    """Relevant events that a look ranks for at most, 1 or more."""
    replay_share: float = 0.5
    """Share of each step taken from events that the last encoder was trained on, 0 to below 1."""
    distillation_weight: float = 5.0
    """How strongly vectors are held to the last encoder's, 0 or more; without one: nothing."""
    precision: str = "auto"
    """`auto`: bf16 on a GPU that has it, else fp32."""
    activation_checkpointing: bool = False
    """Less memory for more time."""
    seed: int = 0

    def __post_init__(self) -> None:
        _one_of("objective", self.objective, OBJECTIVES)
        _one_of("method", self.method, METHODS)
        _one_of("precision", self.precision, PRECISIONS)
        if not self.dimensions or min(self.dimensions) < 1:
            raise ConfigError(f"dimensions: got {self.dimensions}, expected numbers of 1 or more")
        for name, least in _LEAST.items():
            if getattr(self, name) < least:
                raise ConfigError(f"{name}: got {getattr(self, name)}, expected {least} or more")
        for name in ("learning_rate", "head_learning_rate", "temperature"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name}: got {getattr(self, name)}, expected more than 0")
        for name in ("warm_up_fraction", "popularity_correction"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"{name}: got {getattr(self, name)}, expected 0 to 1")
        if self.hard_negatives and self.objective != NEXT_ITEM:
            raise ConfigError(
                f"hard_negatives: got {self.hard_negatives} with objective {self.objective}, "
                f"expected 0: only {NEXT_ITEM} has negatives"
            )
        if not 0 <= self.replay_share < 1:
            raise ConfigError(f"replay_share: got {self.replay_share}, expected 0 to below 1")

    @property
    def loss(self) -> Objective:
        """The objective with its numbers."""
        return Objective(self.objective, self.temperature, self.popularity_correction)

    @property
    def width(self) -> int:
        """Length of the vectors."""
        return max(self.dimensions)

    def digest(self) -> str:
        """16 hex digits; equal settings, equal digests."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


_LEAST = {
    "max_tokens": 3,
    "frozen_layers": 0,
    "lora_rank": 1,
    "virtual_tokens": 1,
    "head_steps": 0,
    "steps": 0,
    "segments": 2,
    "segment_likes": 2,
    "hard_negatives": 0,
    "evaluate_every": 1,
    "patience": 1,
    "max_evaluated": 1,
    "distillation_weight": 0,
}


def _one_of(name: str, value: str, expected: tuple[str, ...]) -> None:
    if value not in expected:
        raise ConfigError(f"{name}: got {value!r}, expected {', '.join(expected)}")
