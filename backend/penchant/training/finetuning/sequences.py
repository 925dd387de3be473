"""Users' likes in time order, and the segments that make up training steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from penchant.domain.arrays import Float32, Float64, Int64, Mask
from penchant.domain.errors import ConfigError
from penchant.logs.stream import Stream


@dataclass(frozen=True, slots=True)
class History:
    """One user's likes, or all events, in one part of the log, in time order; m is 2 or more."""

    user: int
    """The user's number."""
    items: Int64
    """Item numbers, shape (m,)."""
    rewards: Float32
    """Rewards, -1 to 1, above 0 for a like, shape (m,)."""


Segment = tuple[int, int]
"""The number of a history, and the place in it where the segment starts."""


def histories_of(stream: Stream, part: Mask, *, likes_only: bool = True) -> list[History]:
    """The histories of all users with two or more likes in one part of a log.

    Args:
        stream: n events; a like is one with a reward above 0.
        part: events that count, shape (n,).
        likes_only: False: all events, of users with two or more.
    """
    taken = np.flatnonzero((stream.reward > 0) & part if likes_only else part)
    taken = taken[np.argsort(stream.user[taken], kind="stable")]
    borders = np.flatnonzero(np.diff(stream.user[taken])) + 1
    return [
        History(int(stream.user[rows[0]]), stream.item[rows], stream.reward[rows])
        for rows in np.split(taken, borders)
        if len(rows) > 1
    ]


def item_shares(histories: Sequence[History], items: int) -> Float64:
    """Each item's share of all likes, shape (items,), with sum 1."""
    counts = np.zeros(items)
    for history in histories:
        np.add.at(counts, history.items, 1.0)
    shares: Float64 = counts / max(1.0, counts.sum())
    return shares


def plan_segments(
    histories: Sequence[History], length: int, count: int, seed: int
) -> list[Segment]:
    """The segments to train on, in order; equal arguments give equal plans.

    Each pass over the log cuts every history at different places, so that all neighbours meet.

    Args:
        histories: at least one.
        length: likes per segment, 2 or more; a history's ends may give shorter ones.
        count: number of segments.
        seed: seed of the cuts and the order.

    Raises:
        ConfigError: there is no history.
    """
    if not histories:
        raise ConfigError("events: no user has two events in the training part; give more events")
    random = np.random.default_rng(seed)
    segments: list[Segment] = []
    while len(segments) < count:
        one_pass = [
            (number, start)
            for number, history in enumerate(histories)
            for start in _starts(len(history.items), length, random)
        ]
        segments += [one_pass[place] for place in random.permutation(len(one_pass))]
    return segments[:count]


def cut(histories: Sequence[History], segment: Segment, length: int) -> History:
    """The likes in a segment of a given length."""
    number, start = segment
    history, end = histories[number], start + length
    start = max(0, start)
    return History(history.user, history.items[start:end], history.rewards[start:end])


def _starts(likes: int, length: int, random: np.random.Generator) -> list[int]:
    """Starts of a history's segments, the first one 0 or below; none has a single like."""
    if likes <= length:
        return [0]
    first = int(random.integers(2 - length, 1))
    return [start for start in range(first, likes, length) if start < likes - 1]
