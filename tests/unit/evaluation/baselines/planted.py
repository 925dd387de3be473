"""A small stream with a pattern that every baseline except popularity can find."""

from __future__ import annotations

import numpy as np

from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Event, Item
from penchant.logs.stream import Stream

ITEMS = 24
USERS = 80
HALF = ITEMS // 2
"""Even users like the first half of the items, odd users the second half."""


def stream_of(user: list[int], item: list[int], relevant: list[bool], users: int) -> Stream:
    """A stream of these events, one per second, over `ITEMS` items."""
    reward = np.where(relevant, 1, -1).astype(np.float32)
    return Stream(
        items=tuple(Item(f"i{number}", f"item {number}") for number in range(ITEMS)),
        users=tuple(f"u{number}" for number in range(users)),
        events=tuple(
            Event(f"e{at}", f"u{pair[0]}", f"i{pair[1]}", "rating", float(pair[2]), at * 1_000_000)
            for at, pair in enumerate(zip(user, item, reward, strict=True))
        ),
        user=np.array(user, np.int64),
        item=np.array(item, np.int64),
        at_us=np.arange(len(user), dtype=np.int64) * 1_000_000,
        reward=reward,
        weight=np.ones(len(user), np.float32),
        relevant=np.array(relevant, bool),
        put_at=np.zeros(ITEMS, np.int64),
        signals=DEFAULT_SIGNALS,
    )


def planted(seed: int = 0) -> Stream:
    """Every user except the last two meets 14 items, four times in the same order.

    Users like the items of their own half. The last two users are cold.
    """
    random = np.random.default_rng(seed)
    user, item, relevant = [], [], []
    order = [random.permutation(ITEMS)[:14] for _ in range(USERS)]
    for turn in range(4 * 14):
        for number in random.permutation(USERS - 2):
            met = int(order[number][turn % 14])
            user.append(int(number))
            item.append(met)
            relevant.append((met < HALF) == (number % 2 == 0))
    return stream_of(user, item, relevant, USERS)


def likes_of(stream: Stream, user: int) -> set[int]:
    """The items that a user liked anywhere in the stream."""
    return set(stream.item[(stream.user == user) & stream.relevant].tolist())
