"""Turns hours of play into events: strong where a player stayed longer than a game's others.

Ten hours of a short game say more than ten of an endless one, so that hours count by the quarter of
the game's own players that they fall into.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from penchant.domain.arrays import Float64
from penchant.domain.types import Event, Item
from penchant.logs.datasets.play_hours import PlayHours
from penchant.logs.event_log import EventLog

QUARTERS = ("played_least", "played_less", "played_more", "played_most")
"""Signals of the quarters, the shortest players first."""
OWNED = "owned"
"""Signal of a game that was bought, or is listed, and was never played."""

_MINUTES = 60.0
_SECOND_US = 1_000_000

Pair = tuple[str, str]


def quantiles(played: Mapping[Pair, float]) -> dict[Pair, float]:
    """The place of each player among all players of a game, 0 (shortest) to 1 (longest).

    The mid-rank among the game's players: the share that played shorter, and half of those that
    played as long. One more player is counted at the place that the same hours have in the whole
    log, so that the only player of a game is not in the middle whatever the hours. Cost: O(n log n)
    for n pairs.

    Args:
        played: hours by user and title.

    >>> places = quantiles({("a", "tetris"): 10.0, ("b", "tetris"): 1.0, ("a", "civ"): 10.0,
    ...                     ("b", "civ"): 900.0})
    >>> places["a", "tetris"] > places["a", "civ"]
    True
    """
    of_game: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in played:
        of_game[pair[1]].append(pair)
    everywhere = dict(zip(played, _mid_ranks(list(played.values())).tolist(), strict=True))
    found = {}
    for pairs in of_game.values():
        count = len(pairs)
        for pair, rank in zip(pairs, _mid_ranks([played[one] for one in pairs]), strict=True):
            found[pair] = (count * float(rank) + everywhere[pair]) / (count + 1)
    return found


def _mid_ranks(hours: Sequence[float]) -> Float64:
    values = np.array(hours)
    ordered = np.sort(values)
    shorter = np.searchsorted(ordered, values, "left")
    upto = np.searchsorted(ordered, values, "right")
    ranks: Float64 = (shorter + upto) / (2 * max(1, len(values)))
    return ranks


def play_events(log: PlayHours, now_us: int) -> EventLog:
    """One event for each user and title; the value is in minutes.

    A row's own time counts. The other games of a player get a place in order of hours, the longest
    last, one second apart, the last of them now.

    Args:
        log: hours, purchases and times.
        now_us: microseconds since 1970.
    """
    places = quantiles(log.played)
    of_user: defaultdict[str, list[Pair]] = defaultdict(list)
    for pair in dict.fromkeys([*log.owned_alone, *log.played]):
        of_user[pair[0]].append(pair)
    events = []
    for pairs in of_user.values():
        without = [pair for pair in pairs if pair not in log.at_us]
        without.sort(key=lambda pair: (log.played.get(pair, 0.0), pair))
        made_up = {
            pair: now_us - (len(without) - place) * _SECOND_US
            for place, pair in enumerate(without, start=1)
        }
        for pair in pairs:
            at_us = log.at_us.get(pair, made_up.get(pair, now_us))
            events.append(_event(pair, log.played.get(pair), places.get(pair), at_us))
    events.sort(key=lambda event: (event.occurred_at_us, event.user, event.item))
    return EventLog.of(events)


def _event(pair: Pair, hours: float | None, place: float | None, at_us: int) -> Event:
    user, title = pair
    if hours is None or place is None:
        return Event(f"owned-{_digest(title)}", user, title, OWNED, None, at_us)
    signal = QUARTERS[min(len(QUARTERS) - 1, int(place * len(QUARTERS)))]
    minutes = round(hours * _MINUTES, 3)
    return Event(f"hours-{_digest(title, minutes)}", user, title, signal, minutes, at_us)


def _digest(*parts: object) -> str:
    """The same hours of a game have one id, so that a second import of a file changes nothing."""
    text = "\0".join(map(str, parts))
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def order_note(log: PlayHours, events: int) -> str:
    """Says in words which order the events have."""
    without = events - len(log.at_us)
    if not without:
        return "Order: by the rows' own times."
    order = "each player's games come in order of hours, the longest last, one second apart"
    if not log.at_us:
        return f"Order: no row has a time; {order}."
    return f"Order: by the rows' own times; {without:,} games have none: {order}."


def games_of(log: PlayHours) -> list[Item]:
    """The games as items; a log knows nothing but titles, so the title is id and text."""
    return [Item(title, title, {"name": title}) for title in log.titles]
