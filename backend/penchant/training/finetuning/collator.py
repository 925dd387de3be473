"""Rows of the training plan to the texts and labels of a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from penchant.domain.arrays import Float64, Int64
from penchant.domain.types import Matrix, Vector
from penchant.training.finetuning.batches import Neighbourhood, contrastive_batch, outcome_batch
from penchant.training.finetuning.losses import StepLabels
from penchant.training.finetuning.negatives import nearest_not_liked
from penchant.training.finetuning.sequences import History, Segment, cut, item_shares
from penchant.training.finetuning.training_objective import NEXT_ITEM

COLUMNS = 4
"""Number of groups of texts a step is encoded in, each padded to its own longest text."""


@dataclass(slots=True)
class StepCollator:
    """Turns rows of the training plan into the texts and labels of a step."""

    preprocess: Callable[[list[str]], dict[str, Any]]
    """Turns texts into the encoder's inputs."""
    texts: Sequence[str]
    """Texts of all items."""
    histories: Sequence[History]
    objective: str
    """See `TrainingObjective.name`."""
    length: int
    """Likes per segment."""
    nearness: Neighbourhood
    teacher: Matrix | None
    """The last encoder's vectors of all items, shape (items, d); None: no distillation."""
    hard_negatives: int = 0
    """Hard negatives per segment, mined with `mining_vectors`."""
    mining_vectors: Matrix | None = None
    """Recent unit vectors of all items, shape (items, d); None: no hard negatives."""
    valid_label_columns: tuple[str, ...] = ("label",)
    _shares: Float64 = field(init=False)
    _lengths: Int64 = field(init=False)
    _liked: dict[int, list[Int64]] = field(init=False)

    def __post_init__(self) -> None:
        self._shares = item_shares(self.histories, len(self.texts))
        self._lengths = np.array([len(text) for text in self.texts])
        self._liked = {}
        for history in self.histories:
            self._liked.setdefault(history.user, []).append(history.items)

    def __call__(self, rows: Sequence[Mapping[str, int]]) -> dict[str, Any]:
        """The inputs of the loss for the segments of a step."""
        items, labels = self.step([(row["history"], row["start"]) for row in rows])
        inputs: dict[str, Any] = {"label": labels}
        # Short texts apart from long ones: padding to the longest would double the work.
        for number, part in enumerate(np.array_split(items, min(COLUMNS, len(items)))):
            texts = self.preprocess([self.texts[item] for item in part])
            inputs |= {f"text{number}_{name}": value for name, value in texts.items()}
        return inputs

    def step(self, segments: Sequence[Segment]) -> tuple[Int64, StepLabels]:
        """The items of a step, shortest texts first, shape (n,), and its labels."""
        cuts = [cut(self.histories, segment, self.length) for segment in segments]
        if self.objective == NEXT_ITEM:
            items, labels = self._contrastive(cuts)
        else:
            items, labels = self._outcomes(cuts)
        if self.teacher is not None:
            labels["teacher"] = torch.from_numpy(self.teacher[items])
        return items, labels

    def _contrastive(self, segments: Sequence[History]) -> tuple[Int64, StepLabels]:
        liked = [np.concatenate(self._liked[segment.user]) for segment in segments]
        hard = [
            nearest_not_liked(self.mining_vectors, segment, own, self.hard_negatives)
            for segment, own in zip(segments, liked, strict=True)
            if self.mining_vectors is not None
        ]
        batch = contrastive_batch(segments, liked, self.nearness, hard)
        order = self._by_length(batch.items)
        items = batch.items[order]
        draws = sum(len(segment.items) for segment in segments)
        presence = log_presence(self._shares[items], draws)
        return items, {
            "anchors": torch.from_numpy(batch.anchors[:, order]),
            "targets": torch.from_numpy(batch.targets[:, order]),
            "negatives": torch.from_numpy(batch.negatives[:, order]),
            "log_presence": torch.from_numpy(presence),
        }

    def _outcomes(self, segments: Sequence[History]) -> tuple[Int64, StepLabels]:
        batch = outcome_batch(segments, self.nearness)
        order = self._by_length(batch.items)
        place = np.argsort(order)
        return batch.items[order], {
            "anchors": torch.from_numpy(batch.anchors[:, order]),
            "following": torch.from_numpy(place[batch.following]),
            "rewards": torch.from_numpy(batch.rewards),
        }

    def _by_length(self, items: Int64) -> Int64:
        return np.argsort(self._lengths[items], kind="stable")


def log_presence(shares: Float64, draws: int) -> Vector:
    """The log-probability that each item appears among a number of random likes, shape (n,).

    Args:
        shares: each item's share of all likes, shape (n,).
        draws: number of likes.

    >>> np.exp(log_presence(np.array([0.5, 0.1]), 2)).round(2).tolist()
    [0.75, 0.1899999976158142]
    """
    absent = draws * np.log1p(-np.clip(shares, 1e-12, 1 - 1e-12))
    present: Vector = np.log(-np.expm1(absent)).astype(np.float32)
    return present
