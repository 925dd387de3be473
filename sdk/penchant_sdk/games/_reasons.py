"""From the parts of a score to a reason that a player would accept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from penchant_sdk.games.types import Reason, ReasonKind
from penchant_sdk.types import Contribution, Explanation

_DID = {
    "started": "played",
    "played": "played",
    "levelled": "played",
    "purchased": "bought",
    "rated": "rated",
}
"""Signals that can be named as a reason, and the word for each."""

NameOf = Callable[[str], str]
"""From a game's id to its name; empty: the catalogue does not hold it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list was made for."""

    more_like: str = ""
    """The id of the game that was asked for; empty: none."""
    explored: bool = False


def because(item: Contribution) -> bool:
    """Whether an event can be named as the reason for a place in a list."""
    return item.share > 0 and bool(item.item) and item.signal in _DID


def best_of(why: Explanation) -> Contribution | None:
    """The event that speaks most for an item; None: none does."""
    return max(
        (item for item in why.contributions if because(item)),
        key=lambda item: item.share,
        default=None,
    )


def reason(why: Explanation | None, asked: Asked, name_of: NameOf) -> Reason:
    """Why an item is where it is.

    Args:
        why: the parts of its score; None: not known.
        asked: what the list was made for.
        name_of: names of games.

    >>> reason(None, Asked(), str).text
    'popular now'
    """
    best = best_of(why) if why else None
    if best is not None and not name_of(best.item):
        best = None
    if why and asked.more_like and why.query > 0 and (not best or why.query >= best.share):
        text = f"more like {name_of(asked.more_like)}"
        return Reason(ReasonKind.MORE_LIKE, asked.more_like, text, why.query)
    if why is None or best is None:
        kind = ReasonKind.NEW if asked.explored else ReasonKind.POPULAR
        return Reason(kind, text=kind.value)
    name, did = name_of(best.item), _DID[best.signal]
    if why.fast > why.slow + why.near:
        text = f"more like {name}, just {did}"
        return Reason(ReasonKind.MORE_LIKE, best.item, text, best.share)
    text = f"because you {did} {name}"
    return Reason(ReasonKind.BECAUSE_YOU_PLAYED, best.item, text, best.share)
