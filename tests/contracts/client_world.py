"""Items and users that belong to one test of a client."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from penchant_sdk import (
    Event,
    Item,
    Penchant,
)

SPACE = [
    "A space opera about a starship crew among distant planets",
    "A space opera about a starship captain and distant planets",
    "A space saga about a starship fleet near distant planets",
]
KITCHEN = [
    "A kitchen comedy about a pastry cook and her bakery",
    "A kitchen comedy about a bread baker and his bakery",
    "A kitchen drama about a pastry school and its bakery",
]


@dataclass(frozen=True)
class World:
    """Items and a user that no other test uses."""

    user: str
    space: list[str]
    kitchen: list[str]

    @property
    def ids(self) -> list[str]:
        return self.space + self.kitchen


def unique(word: str) -> str:
    return f"{word}-{uuid4().hex}"


def some_events(world: World, count: int, *, user: str | None = None) -> list[Event]:
    """Events of one user on the world's items, one minute apart; the last is one minute old."""
    now = datetime.now(UTC).replace(microsecond=0)
    return [
        Event(
            user=user or world.user,
            item=world.ids[n % len(world.ids)],
            signal=("like", "dislike", "click", "skip")[n % 4],
            occurred_at=now - timedelta(minutes=count - n),
        )
        for n in range(count)
    ]


class Laws:
    """The common base of all laws."""

    @pytest.fixture
    def world(self, penchant: Penchant) -> World:
        run = uuid4().hex[:8]
        space = [Item(f"space-{run}-{n}", text) for n, text in enumerate(SPACE)]
        kitchen = [Item(f"kitchen-{run}-{n}", text) for n, text in enumerate(KITCHEN)]
        penchant.put_items(space + kitchen)
        return World(unique("user"), [item.id for item in space], [item.id for item in kitchen])
