"""A shop of three kinds of clothes, each of whose users likes one kind alone."""

from __future__ import annotations

import numpy as np

from tests.support.world import World, liked

KINDS = ("shoes", "dress", "coat")
ITEMS = [f"a {KINDS[n % 3]} number {n}" for n in range(45)]


def fill_with_kinds(world: World, users: int) -> None:
    """Puts the items, and feeds each user's likes in a seeded order."""
    world.put(**{f"i{number}": text for number, text in enumerate(ITEMS)})
    random = np.random.default_rng(1)
    for user in range(users):
        wanted = random.permutation(range(user % 3, len(ITEMS), 3))
        events = [
            liked(f"{user}-{n}", f"i{item}", user=f"u{user}", ago_s=1000.0 * (20 - n))
            for n, item in enumerate(wanted.tolist())
        ]
        world.feed(*events)
