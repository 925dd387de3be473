"""The signals of the server's named tables, for editors and type checkers; each is a plain text.

A server may serve a table of its own, so `Event.signal` takes any text. The reference of signals
gives the reward of each.

>>> from penchant_sdk.types import Event
>>> Event(user="u42", item="1", signal=DefaultSignal.LIKE).signal == "like"
True
"""

from __future__ import annotations

from enum import StrEnum


class DefaultSignal(StrEnum):
    """The signals of a server that configures none."""

    LIKE = "like"
    DISLIKE = "dislike"
    RATING = "rating"
    """The value is in stars, 0 to 5."""
    PURCHASE = "purchase"
    CLICK = "click"
    VIEW = "view"
    COMPLETE = "complete"
    SKIP = "skip"
    HIDE = "hide"
    IMPRESSION = "impression"


class AdSignal(StrEnum):
    """The signals that the ad client sends: the table `ads`."""

    IMPRESSION = "impression"
    CLICK = "click"
    CONVERSION = "conversion"
    """The value is the sale in the account's currency."""
    HIDE = "hide"


class GameSignal(StrEnum):
    """The signals that the game client sends: the table `games`."""

    IMPRESSION = "impression"
    STARTED = "started"
    PLAYED = "played"
    """The value is in minutes."""
    OWNED = "owned"
    """In the player's library, and never played."""
    PLAYED_LEAST = "played_least"
    """All the player's minutes with the game, among the game's quarter of shortest players."""
    PLAYED_LESS = "played_less"
    """As before, in the second quarter."""
    PLAYED_MORE = "played_more"
    """As before, in the third quarter."""
    PLAYED_MOST = "played_most"
    """As before, in the quarter of the game's longest players."""
    LEVELLED = "levelled"
    PURCHASED = "purchased"
    SKIPPED = "skipped"
    RATED = "rated"
    """The value is in stars, 1 to 5."""
    UNINSTALLED = "uninstalled"


class HomeSignal(StrEnum):
    """The signals that the home client sends: the table `home`."""

    SUGGESTED = "suggested"
    ACCEPTED = "accepted"
    OVERRIDDEN = "overridden"
    UNDONE = "undone"
