"""Derives the reason for a game in a list from the parts of its score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from penchant_sdk.games.types import Game, Reason, ReasonKind
from penchant_sdk.types import Contribution, Explanation

NEARLY = 0.6
"""An event can be the reason if its share is at least this fraction of the largest share."""
LEAST = 0.2
"""Below this fraction of the personal parts of the score, no single event is the reason."""
JUST = timedelta(hours=3)
"""Age up to which a reason says that the game was "just" played."""

_DID = {
    "started": "played",
    "played": "played",
    "levelled": "played",
    "purchased": "bought",
    "rated": "rated",
}
"""The verb for each signal that a reason may name."""
_SEVERAL = "because of several games that you played"

GameOf = Callable[[str], Game | None]
"""Returns the game of an id; None if the catalogue does not hold it."""


@dataclass(frozen=True, slots=True)
class ListRequest:
    """The request for a list, as far as reasons depend on it."""

    more_like: str = ""
    """Id of the game that the list should resemble. Empty: none."""
    explored: bool = False
    """True if the list was drawn at random."""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """Time of the list, UTC."""


def nameable(why: Explanation | None) -> list[Contribution]:
    """Events that a reason may name, in descending order of share."""
    events = why.contributions if why else ()
    good = [one for one in events if one.share > 0 and one.item and one.signal in _DID]
    good.sort(key=lambda one: -one.share)
    return [one for one in good if one.share >= NEARLY * good[0].share]


def reason(game: Game, why: Explanation | None, request: ListRequest, game_of: GameOf) -> Reason:
    """The reason for a game in a list.

    Args:
        game: the game.
        why: the parts of the game's score. None: unknown.
        request: the request for the list.
        game_of: finds the games of `nameable` events, and the requested game.

    >>> reason(Game("a", "A"), None, ListRequest(), lambda id: None).text
    'popular now'
    """
    events = [(one, named) for one in nameable(why) if (named := game_of(one.item))]
    wanted = game_of(request.more_like) if request.more_like else None
    if why and wanted and why.query > max((one.share for one, _ in events), default=0.0):
        return Reason(ReasonKind.MORE_LIKE, wanted.id, f"more like {wanted.name}", why.query)
    if why is None or not events:
        kind = ReasonKind.NEW if request.explored else ReasonKind.POPULAR
        return Reason(kind, text=kind.value)
    return _because(game, why, events, request)


def _because(
    game: Game, why: Explanation, events: Sequence[tuple[Contribution, Game]], request: ListRequest
) -> Reason:
    """A reason that rests on the player's own events."""
    alike = (pair for pair in events if not set(game.genres).isdisjoint(pair[1].genres))
    best, named = next(alike, events[0])
    if best.share < LEAST * (why.slow + why.fast + why.near + why.repeat):
        return Reason(ReasonKind.BECAUSE_YOU_PLAYED, text=_SEVERAL)
    did = _DID[best.signal]
    if why.fast > why.slow + why.near and best.occurred_at > request.at - JUST:
        text = f"more like {named.name}, just {did}"
        return Reason(ReasonKind.MORE_LIKE, named.id, text, best.share)
    text = f"because you {did} {named.name}"
    return Reason(ReasonKind.BECAUSE_YOU_PLAYED, named.id, text, best.share)
