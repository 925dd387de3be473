"""Habits: chooses among a sentence's possible actions by the user's own past choices.

The server ranks the candidates by the user's interest, in which events from the same room and part
of day count more, and names the events behind each score. A candidate becomes a habit once the user
has chosen it often enough. Only then may the ranking put it before the sentence's default action.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from penchant_sdk.home._actions import quantised
from penchant_sdk.home.types import Action
from penchant_sdk.types import RankedItem

HABIT_AFTER = 3
"""Number of acceptances that make a habit."""
HABIT_SCORE = 0.2
"""Lowest score of a habit. With the settings in `docs/clients/home.md`, a score predicts the
reward, -1 to 1, so a lower one means that the user rarely wants the action here at this time."""
_PARTS = ((6, "night"), (11, "morning"), (17, "day"), (22, "evening"), (24, "night"))


def part_of_day(at: datetime) -> str:
    """Night (from 22:00), morning (from 6:00), day (from 11:00) or evening (from 17:00).

    >>> part_of_day(datetime(2026, 1, 1, 23)), part_of_day(datetime(2026, 1, 1, 9))
    ('night', 'morning')
    """
    return next(name for until, name in _PARTS if at.hour < until)


def by_habit(
    options: Sequence[Action], ranked: Sequence[RankedItem]
) -> tuple[list[Action], set[str]]:
    """Options in order of preference, and the ids of those that are habits.

    Args:
        options: candidates; the first is the default.
        ranked: items of the candidates in descending order of score, with explanations.
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
    """Number of events behind a score in which the user accepted this very item."""
    if one.explanation is None:
        return 0
    return sum(
        part.share > 0 and part.item == one.id and part.signal == "accepted"
        for part in one.explanation.contributions
    )
