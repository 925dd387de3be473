"""One training step as arrays: each distinct item once, and the items that belong near it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from penchant.domain.arrays import Float32, Int64, Mask
from penchant.training.finetuning.sequences import History


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """How near two likes of a user are; half-lives count the user's likes between them."""

    history_half_life: float = 3.0
    """Later likes after which a like has half its weight in the history, above 0."""
    target_half_life: float = 3.0
    """Likes between anchor and target per halving of the target's weight, above 0."""
    pair_weight: float = 0.3
    """Weight of pairs of two likes, in either order, relative to history → next; 0 or more."""


@dataclass(frozen=True, slots=True)
class ContrastiveBatch:
    """A step of a anchors over n distinct items, each anchor with its targets and negatives."""

    items: Int64
    """Item numbers, rising, shape (n,)."""
    anchors: Float32
    """Weights over the items, shape (a, n); an anchor's vector is their normalized sum."""
    targets: Float32
    """How strongly each item should follow each anchor, 0 or more, shape (a, n)."""
    negatives: Mask
    """Items set against an anchor's targets: those its user does not like, shape (a, n)."""


def contrastive_batch(
    segments: Sequence[History],
    liked: Sequence[Int64],
    nearness: Neighbourhood,
    hard: Sequence[Int64] = (),
) -> ContrastiveBatch:
    """Assembles the step of some segments; anchors without a target are left out.

    Args:
        segments: segments of any users' likes.
        liked: for each segment, all items its user likes in the training part.
        nearness: how targets are weighted.
        hard: more items, negatives for every user who does not like them.

    Cost: O(likes * n).
    """
    items = np.unique(np.concatenate([*(segment.items for segment in segments), *hard]))
    anchors, targets, negatives = [], [], []
    for segment, own in zip(segments, liked, strict=True):
        columns, onto = _columns(segment, items)
        history, following, pairs = _weights(segment, nearness)
        anchors += [history @ onto, onto]
        targets += [following @ onto, pairs @ onto]
        against = ~np.isin(items, own)
        negatives.append(np.broadcast_to(against, (2 * len(columns), len(items))))
    wanted, stacked = np.concatenate(targets), np.concatenate(anchors)
    kept = wanted.sum(axis=1) > 0
    return ContrastiveBatch(items, stacked[kept], wanted[kept], np.concatenate(negatives)[kept])


@dataclass(frozen=True, slots=True)
class OutcomeBatch:
    """A step of a anchors over n distinct items, each anchor with the event that followed it."""

    items: Int64
    """See `ContrastiveBatch.items`."""
    anchors: Float32
    """See `ContrastiveBatch.anchors`."""
    following: Int64
    """Column of the following event's item, shape (a,)."""
    rewards: Float32
    """Reward of the following event, -1 to 1, shape (a,)."""


def outcome_batch(segments: Sequence[History], nearness: Neighbourhood) -> OutcomeBatch:
    """Assembles the step of some segments; events before a user's first like are left out.

    Args:
        segments: segments of any users' events, disliked items included.
        nearness: how the history is weighted.
    """
    items = np.unique(np.concatenate([segment.items for segment in segments]))
    anchors, following, rewards = [], [], []
    for segment in segments:
        columns, onto = _columns(segment, items)
        likes = History(segment.user, segment.items, np.maximum(segment.rewards, 0))
        anchors.append((_weights(likes, nearness)[0] @ onto)[:-1])
        following.append(columns[1:])
        rewards.append(segment.rewards[1:])
    stacked = np.concatenate(anchors)
    kept = stacked.sum(axis=1) > 0
    return OutcomeBatch(
        items, stacked[kept], np.concatenate(following)[kept], np.concatenate(rewards)[kept]
    )


def _columns(segment: History, items: Int64) -> tuple[Int64, Float32]:
    """The column of each of a segment's m events, shape (m,), and one-hot, shape (m, n)."""
    columns = np.searchsorted(items, segment.items)
    onto = np.zeros((len(columns), len(items)), np.float32)
    onto[np.arange(len(columns)), columns] = 1.0
    return columns, onto


def _weights(segment: History, nearness: Neighbourhood) -> tuple[Float32, Float32, Float32]:
    """Weights over a segment's m places, shape (m, m) each: of history, next items and pairs."""
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
