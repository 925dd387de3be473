"""From the parts of a score to a reason that a player would accept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from penchant_sdk.games.types import Game, Reason, ReasonKind
from penchant_sdk.types import Contribution, Explanation

NEARLY = 0.6
"""With so much of the best event's share another is as good a reason, if its game is alike."""
LEAST = 0.2
"""With less of what the player's own taste adds, no single event is the reason."""
JUST = timedelta(hours=3)
"""So long ago something was played just now."""

_DID = {
    "started": "played",
    "played": "played",
    "levelled": "played",
    "purchased": "bought",
    "rated": "rated",
}
"""Signals that can be named as a reason, and the word for each."""
_SEVERAL = "because of several games that you played"

GameOf = Callable[[str], Game | None]
"""From an id to the game; None: the catalogue does not hold it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list was made for."""

    more_like: str = ""
    """The id of the game that was asked for; empty: none."""
    explored: bool = False
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


def nameable(why: Explanation | None) -> list[Contribution]:
    """The events that may be named as the reason for a place in a list, the weightiest first."""
    events = why.contributions if why else ()
    good = [one for one in events if one.share > 0 and one.item and one.signal in _DID]
    good.sort(key=lambda one: -one.share)
    return [one for one in good if one.share >= NEARLY * good[0].share]


def reason(game: Game, why: Explanation | None, asked: Asked, game_of: GameOf) -> Reason:
    """Why a game is where it is.

    Args:
        game: the one in the list.
        why: the parts of its score; None: not known.
        asked: what the list was made for.
        game_of: the games of `nameable`, and the one that was asked for.

    >>> reason(Game("a", "A"), None, Asked(), lambda id: None).text
    'popular now'
    """
    events = [(one, named) for one in nameable(why) if (named := game_of(one.item))]
    wanted = game_of(asked.more_like) if asked.more_like else None
    if why and wanted and why.query > max((one.share for one, _ in events), default=0.0):
        return Reason(ReasonKind.MORE_LIKE, wanted.id, f"more like {wanted.name}", why.query)
    if why is None or not events:
        kind = ReasonKind.NEW if asked.explored else ReasonKind.POPULAR
        return Reason(kind, text=kind.value)
    return _because(game, why, events, asked)


def _because(
    game: Game, why: Explanation, events: Sequence[tuple[Contribution, Game]], asked: Asked
) -> Reason:
    """A reason of what the player did."""
    alike = (pair for pair in events if not set(game.genres).isdisjoint(pair[1].genres))
    best, named = next(alike, events[0])
    if best.share < LEAST * (why.slow + why.fast + why.near):
        return Reason(ReasonKind.BECAUSE_YOU_PLAYED, text=_SEVERAL)
    did = _DID[best.signal]
    if why.fast > why.slow + why.near and best.occurred_at > asked.at - JUST:
        text = f"more like {named.name}, just {did}"
        return Reason(ReasonKind.MORE_LIKE, named.id, text, best.share)
    text = f"because you {did} {named.name}"
    return Reason(ReasonKind.BECAUSE_YOU_PLAYED, named.id, text, best.share)
