"""What users liked, in time order, and the segments of it that training steps are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penchant.domain.errors import ConfigError
from penchant.logs.stream import Stream


@dataclass(frozen=True, slots=True)
class History:
    """The likes of one user in one part of the log, or all events, in time order; two or more."""

    user: int
    """The user's number."""
    items: NDArray[np.int64]
    """Item numbers, shape (m,)."""
    rewards: NDArray[np.float32]
    """-1 to 1, of a like above 0, shape (m,)."""


Segment = tuple[int, int]
"""A history by number, and the place in it where the segment begins."""


def histories_of(
    stream: Stream, part: NDArray[np.bool_], *, likes_only: bool = True
) -> list[History]:
    """The histories of all users with two likes or more among some events.

    Args:
        stream: n events; one with a reward above 0 is a like.
        part: which events are taken, shape (n,).
        likes_only: False: of users with two events or more, all events.
    """
    taken = np.flatnonzero((stream.reward > 0) & part if likes_only else part)
    taken = taken[np.argsort(stream.user[taken], kind="stable")]
    borders = np.flatnonzero(np.diff(stream.user[taken])) + 1
    return [
        History(int(stream.user[rows[0]]), stream.item[rows], stream.reward[rows])
        for rows in np.split(taken, borders)
        if len(rows) > 1
    ]


def item_shares(histories: Sequence[History], items: int) -> NDArray[np.float64]:
    """Each item's share of all likes, shape (items,); it sums to 1."""
    counts = np.zeros(items)
    for history in histories:
        np.add.at(counts, history.items, 1.0)
    shares: NDArray[np.float64] = counts / max(1.0, counts.sum())
    return shares


def plan_segments(
    histories: Sequence[History], length: int, count: int, seed: int
) -> list[Segment]:
    """Which segments training sees, in this order; equal arguments give equal plans.

    Each pass over the log cuts every history at other places, so that all neighbours meet.

    Args:
        histories: at least one.
        length: Likes in a segment, 2 or more; the ends of a history may give shorter ones.
        count: How many segments.
        seed: Of the cuts and the order.

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
    """The likes of a segment."""
    number, start = segment
    history, end = histories[number], start + length
    start = max(0, start)
    return History(history.user, history.items[start:end], history.rewards[start:end])


def _starts(likes: int, length: int, random: np.random.Generator) -> list[int]:
    """Starts of the segments of a history, the first one negative; none has a single like."""
    if likes <= length:
        return [0]
    first = int(random.integers(2 - length, 1))
    return [start for start in range(first, likes, length) if start < likes - 1]
