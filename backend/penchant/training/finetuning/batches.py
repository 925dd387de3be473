"""One training step as arrays: each distinct item once, and who should lie near whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penchant.domain.arrays import Float32
from penchant.training.finetuning.sequences import History


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Which likes of one user count as near; half-lives are in likes of that user."""

    history_half_life: float = 3.0
    """A like counts half in the history after this many later ones, above 0."""
    target_half_life: float = 3.0
    """A like counts half as a target for each this many between it and the anchor, above 0."""
    pair_weight: float = 0.3
    """How much pairs of two likes, in either order, count beside history → next; 0 or more."""


@dataclass(frozen=True, slots=True)
class Batch:
    """a anchors over n distinct items."""

    items: NDArray[np.int64]
    """Item numbers, rising, shape (n,)."""
    anchors: Float32
    """Each anchor's weights over the items: its vector is the normalised sum, shape (a, n)."""
    targets: Float32
    """How much each item should follow each anchor, 0 or more, shape (a, n)."""
    negatives: NDArray[np.bool_]
    """Which items stand against an anchor's targets, shape (a, n): those its user does not like."""


def assemble(
    segments: Sequence[History],
    liked: Sequence[NDArray[np.int64]],
    nearness: Neighbourhood,
    hard: Sequence[NDArray[np.int64]] = (),
) -> Batch:
    """The batch of some segments.

    Args:
        segments: of any users.
        liked: All items that each segment's user likes in the training part.
        nearness: what counts as near.
        hard: More items, which stand against all whose users do not like them.

    Returns:
        The batch; an anchor without a target is left out. Cost: O(likes * n).
    """
    items = np.unique(np.concatenate([*(segment.items for segment in segments), *hard]))
    anchors, targets, negatives = [], [], []
    for segment, own in zip(segments, liked, strict=True):
        columns = np.searchsorted(items, segment.items)
        onto = np.zeros((len(columns), len(items)), np.float32)
        onto[np.arange(len(columns)), columns] = 1.0
        history, following, pairs = _weights(segment, nearness)
        anchors += [history @ onto, onto]
        targets += [following @ onto, pairs @ onto]
        against = ~np.isin(items, own)
        negatives.append(np.broadcast_to(against, (2 * len(columns), len(items))))
    wanted, stacked = np.concatenate(targets), np.concatenate(anchors)
    kept = wanted.sum(axis=1) > 0
    return Batch(items, stacked[kept], wanted[kept], np.concatenate(negatives)[kept])


@dataclass(frozen=True, slots=True)
class Outcomes:
    """a anchors over n distinct items, each with one event that followed."""

    items: NDArray[np.int64]
    """See `Batch`."""
    anchors: Float32
    """See `Batch`."""
    following: NDArray[np.int64]
    """The column of the item of the event that followed, shape (a,)."""
    rewards: Float32
    """That event's reward, -1 to 1, shape (a,)."""


def assemble_outcomes(segments: Sequence[History], nearness: Neighbourhood) -> Outcomes:
    """What followed the likes of some segments; an event before the first like tells nothing."""
    items = np.unique(np.concatenate([segment.items for segment in segments]))
    anchors, following, rewards = [], [], []
    for segment in segments:
        columns = np.searchsorted(items, segment.items)
        onto = np.zeros((len(columns), len(items)), np.float32)
        onto[np.arange(len(columns)), columns] = 1.0
        likes = History(segment.user, segment.items, np.maximum(segment.rewards, 0))
        anchors.append((_weights(likes, nearness)[0] @ onto)[:-1])
        following.append(columns[1:])
        rewards.append(segment.rewards[1:])
    stacked = np.concatenate(anchors)
    kept = stacked.sum(axis=1) > 0
    return Outcomes(
        items, stacked[kept], np.concatenate(following)[kept], np.concatenate(rewards)[kept]
    )


def _weights(segment: History, nearness: Neighbourhood) -> tuple[Float32, Float32, Float32]:
    """Over a segment's places, shape (m, m) each: history, next items, pairs."""
    places = np.arange(len(segment.items))
    ahead = (places[None, :] - places[:, None]).astype(np.float32)  # Of the column over the row.
    rewards = segment.rewards[None, :]
    history = np.where(ahead <= 0, np.exp2(ahead / nearness.history_half_life), 0) * rewards
    near = np.exp2((1 - np.abs(ahead)) / nearness.target_half_life) * rewards
    following = np.where(ahead > 0, near, 0)
    other = segment.items[None, :] != segment.items[:, None]
    pairs = nearness.pair_weight * np.where(other, near, 0)
    return (
        history.astype(np.float32),
        following.astype(np.float32),
        pairs.astype(np.float32),
    )
