"""Derives the reason for a game in a list from the parts of its score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from penchant_sdk.games.types import Game, Reason, ReasonKind
from penchant_sdk.types import Contribution, Explanation

NEARLY = 0.6
"""A game can be the reason if its share is at least this fraction of the largest share."""
LONGER = 0.3
"""The same for a game that was played longer than the one with the largest share."""
LEAST = 0.2
"""Below this fraction of the personal parts of the score, no single game is the reason."""
JUST = timedelta(hours=3)
"""Age up to which a reason says that the game was "just" played."""

_DID = {
    "started": "played",
    "played": "played",
    "played_least": "played",
    "played_less": "played",
    "played_more": "played",
    "played_most": "played",
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


@dataclass(frozen=True, slots=True)
class NamedGame:
    """A game of the player's past, as far as it speaks for another game."""

    id: str
    share: float
    """Shares of its events in the score, in sum."""
    minutes: float
    """How long it was played in these events; 0: not known."""
    did: str
    """What the player did, by the event with the largest share: a key of `_DID`."""
    occurred_at: datetime
    """Time of its latest event, UTC."""


def nameable(why: Explanation | None) -> list[NamedGame]:
    """Games that a reason may name, in descending order of share."""
    of_game: dict[str, list[Contribution]] = {}
    for one in why.contributions if why else ():
        if one.share > 0 and one.item and one.signal in _DID:
            of_game.setdefault(one.item, []).append(one)
    games = [_named(id_, events) for id_, events in of_game.items()]
    games.sort(key=lambda one: -one.share)
    return [one for one in games if one.share >= LONGER * games[0].share]


def _named(game: str, events: Sequence[Contribution]) -> NamedGame:
    return NamedGame(
        id=game,
        share=sum(one.share for one in events),
        minutes=sum(one.value or 0.0 for one in events if one.signal.startswith("played")),
        did=max(events, key=lambda one: one.share).signal,
        occurred_at=max(one.occurred_at for one in events),
    )


def reason(game: Game, why: Explanation | None, request: ListRequest, game_of: GameOf) -> Reason:
    """The reason for a game in a list.

    Args:
        game: the game.
        why: the parts of the game's score. None: unknown.
        request: the request for the list.
        game_of: finds the `nameable` games, and the requested game.

    >>> reason(Game("a", "A"), None, ListRequest(), lambda id: None).text
    'popular now'
    """
    past = [(one, named) for one in nameable(why) if (named := game_of(one.id))]
    wanted = game_of(request.more_like) if request.more_like else None
    if why and wanted and why.query > max((one.share for one, _ in past), default=0.0):
        return Reason(ReasonKind.MORE_LIKE, wanted.id, f"more like {wanted.name}", why.query)
    if why is None or not past:
        kind = ReasonKind.NEW if request.explored else ReasonKind.POPULAR
        return Reason(kind, text=kind.value)
    return _because(game, why, past, request)


def _because(
    game: Game, why: Explanation, past: Sequence[tuple[NamedGame, Game]], request: ListRequest
) -> Reason:
    """A reason that rests on the player's own events."""
    least = LEAST * (why.slow + why.fast + why.near + why.repeat)
    past = [pair for pair in past if pair[0].share >= least]
    if not past:
        return Reason(ReasonKind.BECAUSE_YOU_PLAYED, text=_SEVERAL)
    best, named = _longest_played(game, past)
    did = _DID[best.did]
    if why.fast > why.slow + why.near and best.occurred_at > request.at - JUST:
        text = f"more like {named.name}, just {did}"
        return Reason(ReasonKind.MORE_LIKE, named.id, text, best.share)
    text = f"because you {did} {named.name}"
    return Reason(ReasonKind.BECAUSE_YOU_PLAYED, named.id, text, best.share)


def _longest_played(game: Game, past: Sequence[tuple[NamedGame, Game]]) -> tuple[NamedGame, Game]:
    """The game to name: of those that speak nearly as much, a like one that was played longest."""
    most = past[0][0]
    near = [
        pair
        for pair in past
        if pair[0].share >= NEARLY * most.share or pair[0].minutes > most.minutes > 0
    ]
    alike = [pair for pair in near if not set(game.genres).isdisjoint(pair[1].genres)] or near
    if not alike[0][0].minutes:
        return alike[0]  # Bought or rated, which no hours outdo.
    return max(alike, key=lambda pair: pair[0].minutes)
