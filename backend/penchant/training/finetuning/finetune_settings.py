"""Settings of a fine-tuning, besides the log and the encoder it starts from."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from cyclopts import Parameter, Token

from penchant.domain.errors import ConfigError
from penchant.training.finetuning.batches import Neighbourhood
from penchant.training.finetuning.training_objective import (
    NEXT_ITEM,
    OBJECTIVES,
    TrainingObjective,
)

METHODS = ("full", "lora", "prefix", "prompt")
PRECISIONS = ("auto", "fp32", "bf16", "fp16")
LEARNING_RATES = {"full": 1e-4, "lora": 1e-3, "prefix": 1e-2, "prompt": 1e-2}
"""Default peak learning rates of the encoder by method."""

_HIDDEN = Parameter(parse=False)


def _lengths(_type: Any, tokens: Sequence[Token]) -> tuple[int, ...]:
    text = tokens[0].value
    try:
        return tuple(sorted({int(part) for part in text.split(",")}, reverse=True))
    except ValueError:
        raise ConfigError(f"--dimensions: got {text!r}, expected numbers, as in 64,32") from None


Lengths = Annotated[
    tuple[int, ...],
    Parameter(converter=_lengths, n_tokens=1, accepts_keys=False, metavar="D,D,..."),
]
"""Lengths of vectors, comma-separated."""


@dataclass(frozen=True, slots=True)
class FinetuneSettings:
    """The training of a fine-tuning: its objective, its method and its length.

    `docs/measurements/finetuning.md` says how the defaults were chosen, on the first 30 % of
    MovieLens-100K.

    >>> FinetuneSettings(method="lora").digest() == FinetuneSettings().digest()
    False
    """

    objective: str = NEXT_ITEM
    """Prediction target: next-item, the next liked item; rating, the next reward; or class, the
    sign of the next reward."""
    method: str = "full"
    """Weights to train: full, all of them; lora, low-rank additions, merged at the end; prefix or
    prompt, virtual tokens before each text, in every layer or only before the first."""
    dimensions: Lengths = (64,)
    """Lengths that vectors may be cut to; the largest is the full length."""
    steps: int = 300
    """Maximum number of encoder steps; 0: train only the projection."""
    head_steps: int = 2000
    """Steps that train the projection alone: a new one, or with --steps 0."""
    learning_rate: Annotated[
        float | None, Parameter(show_default="1e-4; 1e-3 for lora; 1e-2 for prefix, prompt")
    ] = None
    """Peak learning rate of the encoder, above 0."""
    head_learning_rate: float = 2e-3
    """Peak learning rate of the projection, above 0."""
    frozen_layers: int = 0
    """Number of first layers to keep fixed, together with the embeddings; 0: none."""
    lora_rank: int = 16
    """Rank of the low-rank additions, 1 or more."""
    virtual_tokens: int = 10
    """Number of virtual tokens of prefix and prompt, 1 or more."""
    max_tokens: int = 32
    """Token limit of a text while training, 3 or more; longer texts are cut."""
    segments: Annotated[int, _HIDDEN] = 16
    """Segments of users' likes per step, 2 or more; other users' likes are the negatives."""
    segment_likes: Annotated[int, _HIDDEN] = 24
    """Likes per segment, 2 or more."""
    warm_up_fraction: Annotated[float, _HIDDEN] = 0.1
    """Share of the steps in which the learning rate rises, 0 to 1; afterwards it falls to 0."""
    temperature: float = 0.25
    """Temperature of the softmax, above 0."""
    popularity_correction: float = 0.0
    """0: item biases alone account for popularity; 1: vectors do too."""
    nearness: Annotated[Neighbourhood, _HIDDEN] = Neighbourhood()
    hard_negatives: int = 0
    """Hard negatives per segment: near items that its user does not like; 0: none."""
    validation_fraction: float = 0.1
    """Share of the events that decides when to stop, above 0."""
    test_fraction: float = 0.1
    """Share of the events, the newest, measured only at the end; 0: none."""
    evaluate_every: int = 50
    """Steps between evaluations on the validation part, each with a checkpoint; 1 or more."""
    patience: int = 4
    """Evaluations without a new best before training stops, 1 or more."""
    max_evaluated: Annotated[int, _HIDDEN] = 2000
    """Maximum number of rankings per evaluation, 1 or more."""
    replay_share: float = 0.5
    """With --from: share of each step taken from events of earlier rounds, 0 to below 1."""
    distillation_weight: float = 5.0
    """With --from: weight of the loss that holds vectors near the last encoder's, 0 or more."""
    precision: str = "auto"
    """Number format: fp32, bf16, fp16, or auto: bf16 on a GPU that has it, else fp32."""
    activation_checkpointing: Annotated[bool, Parameter(name="--gradient-checkpointing")] = False
    """Save memory by recomputing activations, at the cost of time."""
    seed: int = 0
    """Seed of all random draws."""

    def __post_init__(self) -> None:
        _one_of("objective", self.objective, OBJECTIVES)
        _one_of("method", self.method, METHODS)
        _one_of("precision", self.precision, PRECISIONS)
        if not self.dimensions or min(self.dimensions) < 1:
            raise ConfigError(f"dimensions: got {self.dimensions}, expected numbers of 1 or more")
        for name, least in _LEAST.items():
            if getattr(self, name) < least:
                raise ConfigError(f"{name}: got {getattr(self, name)}, expected {least} or more")
        for name in ("encoder_learning_rate", "head_learning_rate", "temperature"):
            if not getattr(self, name) > 0:
                got = getattr(self, name)
                raise ConfigError(f"{name.removeprefix('encoder_')}: got {got}, expected above 0")
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
    def encoder_learning_rate(self) -> float:
        """`learning_rate`, or the default of the method."""
        return LEARNING_RATES[self.method] if self.learning_rate is None else self.learning_rate

    @property
    def loss(self) -> TrainingObjective:
        """The objective with its parameters."""
        return TrainingObjective(self.objective, self.temperature, self.popularity_correction)

    @property
    def width(self) -> int:
        """Full length of the vectors."""
        return max(self.dimensions)

    def as_dict(self) -> dict[str, Any]:
        """The settings as JSON values, with the learning rate in effect."""
        return {**dataclasses.asdict(self), "learning_rate": self.encoder_learning_rate}

    def digest(self) -> str:
        """16 hex digits; equal settings have equal digests."""
        text = json.dumps(self.as_dict(), sort_keys=True)
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
