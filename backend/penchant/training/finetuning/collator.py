"""From rows of the plan to a step's texts and labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from penchant.domain.types import Matrix, Vector
from penchant.training.finetuning.batches import Neighbourhood, assemble, assemble_outcomes
from penchant.training.finetuning.losses import NEXT_ITEM, StepLabels
from penchant.training.finetuning.negatives import nearest_not_liked
from penchant.training.finetuning.sequences import History, Segment, cut, item_shares

COLUMNS = 4
"""How many groups of texts a step is encoded in, each padded to its own longest."""


@dataclass(slots=True)
class StepCollator:
    """Rows of the plan to the texts and the labels of a step."""

    preprocess: Callable[[list[str]], dict[str, Any]]
    """Texts to the encoder's inputs."""
    texts: Sequence[str]
    """Of all items."""
    histories: Sequence[History]
    objective: str
    length: int
    nearness: Neighbourhood
    teacher: Matrix | None
    """The last encoder's vectors of all items, shape (items, d)."""
    hard_negatives: int = 0
    """How many are mined for each segment, from `mined_by`."""
    mined_by: Matrix | None = None
    """Unit vectors of all items as they are now, or were not long ago, shape (items, d)."""
    valid_label_columns: tuple[str, ...] = ("label",)
    _shares: NDArray[np.float64] = field(init=False)
    _lengths: NDArray[np.int64] = field(init=False)
    _liked: dict[int, list[NDArray[np.int64]]] = field(init=False)

    def __post_init__(self) -> None:
        self._shares = item_shares(self.histories, len(self.texts))
        self._lengths = np.array([len(text) for text in self.texts])
        self._liked = {}
        for history in self.histories:
            self._liked.setdefault(history.user, []).append(history.items)

    def __call__(self, rows: Sequence[Mapping[str, int]]) -> dict[str, Any]:
        """The inputs of the loss."""
        items, labels = self.step([(row["history"], row["start"]) for row in rows])
        inputs: dict[str, Any] = {"label": labels}
        # Short texts apart from long ones: padding to the longest would double the work.
        for number, part in enumerate(np.array_split(items, min(COLUMNS, len(items)))):
            texts = self.preprocess([self.texts[item] for item in part])
            inputs |= {f"text{number}_{name}": value for name, value in texts.items()}
        return inputs

    def step(self, segments: Sequence[Segment]) -> tuple[NDArray[np.int64], StepLabels]:
        """The items of a step, those with short texts first, shape (n,), and its labels."""
        pieces = [cut(self.histories, segment, self.length) for segment in segments]
        items, labels = self._likes(pieces) if self.objective == NEXT_ITEM else self._rest(pieces)
        if self.teacher is not None:
            labels["teacher"] = torch.from_numpy(self.teacher[items])
        return items, labels

    def _likes(self, pieces: Sequence[History]) -> tuple[NDArray[np.int64], StepLabels]:
        liked = [np.concatenate(self._liked[piece.user]) for piece in pieces]
        hard = [
            nearest_not_liked(self.mined_by, piece, own, self.hard_negatives)
            for piece, own in zip(pieces, liked, strict=True)
            if self.mined_by is not None
        ]
        batch = assemble(pieces, liked, self.nearness, hard)
        order = self._by_length(batch.items)
        items = batch.items[order]
        presence = log_presence(self._shares[items], sum(len(piece.items) for piece in pieces))
        return items, {
            "anchors": torch.from_numpy(batch.anchors[:, order]),
            "targets": torch.from_numpy(batch.targets[:, order]),
            "negatives": torch.from_numpy(batch.negatives[:, order]),
            "log_presence": torch.from_numpy(presence),
        }

    def _rest(self, pieces: Sequence[History]) -> tuple[NDArray[np.int64], StepLabels]:
        batch = assemble_outcomes(pieces, self.nearness)
        order = self._by_length(batch.items)
        place = np.argsort(order)
        return batch.items[order], {
            "anchors": torch.from_numpy(batch.anchors[:, order]),
            "following": torch.from_numpy(place[batch.following]),
            "rewards": torch.from_numpy(batch.rewards),
        }

    def _by_length(self, items: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.argsort(self._lengths[items], kind="stable")


def log_presence(shares: NDArray[np.float64], draws: int) -> Vector:
    """The log-probability that an item of a share is among so many likes, shape (n,).

    >>> np.exp(log_presence(np.array([0.5, 0.1]), 2)).round(2).tolist()
    [0.75, 0.1899999976158142]
    """
    absent = draws * np.log1p(-np.clip(shares, 1e-12, 1 - 1e-12))
    present: Vector = np.log(-np.expm1(absent)).astype(np.float32)
    return present
