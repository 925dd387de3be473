"""A user's habits: which action their own past chooses among those that a sentence may mean.

The server ranks the candidates by the user's interest, events of a like room and part of day
counting more, and names the events behind each score. A candidate is a habit when the user chose it
often enough: then, and only then, the ranking puts it before what the sentence gets by default.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from penchant_sdk.home._actions import quantised
from penchant_sdk.home.types import Action
from penchant_sdk.types import RankedItem

HABIT_AFTER = 3
"""So many acceptances make a habit."""
HABIT_SCORE = 0.2
"""Below this the user's past says little of the item here and now: with the settings of
`docs/clients/home.md` a score is the reward that it predicts, -1 to 1."""
_PARTS = ((6, "night"), (11, "morning"), (17, "day"), (22, "evening"), (24, "night"))


def part_of_day(at: datetime) -> str:
    """Night (22 to 6), morning (to 11), day (to 17) or evening, by the datetime's own clock.

    >>> part_of_day(datetime(2026, 1, 1, 23)), part_of_day(datetime(2026, 1, 1, 9))
    ('night', 'morning')
    """
    return next(name for until, name in _PARTS if at.hour < until)


def by_habit(
    options: Sequence[Action], ranked: Sequence[RankedItem]
) -> tuple[list[Action], set[str]]:
    """The options, the most wanted first, and the ids of those that are habits.

    Args:
        options: the first is the default.
        ranked: their items by falling score, explained.
    """
    by_item: dict[str, Action] = {}
    for option in options:
        by_item.setdefault(quantised(option).id, option)
    habits = {
        by_item[one.id].id: place
        for place, one in enumerate(ranked)
        if one.id in by_item and one.score >= HABIT_SCORE and _chosen(one) >= HABIT_AFTER
    }
    default = quantised(options[0]).id
    worse = next((place for place, one in enumerate(ranked) if one.id == default), len(ranked))
    before = sorted((id for id, place in habits.items() if place <= worse), key=habits.__getitem__)
    order = {id: place for place, id in enumerate(before)}
    listed = sorted(options, key=lambda option: order.get(option.id, len(order)))
    return listed, set(before)


def _chosen(one: RankedItem) -> int:
    """How many of the events behind a score are the user's own choices of the item."""
    if one.explanation is None:
        return 0
    return sum(
        part.share > 0 and part.item == one.id and part.signal == "accepted"
        for part in one.explanation.contributions
    )
