"""A player's actions as events, with ids derived from the action, so that each counts once.

A retry, a second click or a restarted game sends the same id again. A purchase counts once ever; a
start, a skip, an uninstallation, each level and each number of stars once per session; a stretch of
play once per game and end time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from penchant_sdk._times import to_microseconds
from penchant_sdk.errors import InvalidEvent
from penchant_sdk.games.types import Recommendations, Session, Stars
from penchant_sdk.signal_names import GameSignal
from penchant_sdk.types import Event, Exposure

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Occasion:
    """The arguments that all signals share: player, game, session, list and time."""

    user: str
    game: str
    session: Session
    recommendation_id: str = ""
    at: datetime | float | None = None
    """A datetime with a time zone, or epoch seconds. None: now."""

    def event(self, signal: GameSignal, *key: object, value: float | None = None) -> Event:
        """The event of a signal; events with equal signal, game and key have equal ids."""
        when = datetime.now(UTC) if self.at is None else self.at
        return Event(
            user=self.user,
            item=self.game,
            signal=signal,
            value=value,
            occurred_at=when,
            recommendation_id=self.recommendation_id,
            event_id=event_id(signal, self.game, *key),
            context=self.session.context,
        )


def event_id(signal: str, *parts: object) -> str:
    """An event id of at most 128 bytes; equal parts give equal ids.

    >>> event_id("purchased", "0ad") == event_id("purchased", "0ad")
    True
    """
    text = "\0".join(str(part) for part in parts)
    return f"{signal}-{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"


def started(occasion: Occasion) -> Event:
    """The player opened the game; counts once per session."""
    return occasion.event(GameSignal.STARTED, occasion.session.id)


def played(occasion: Occasion, played_for: timedelta) -> Event:
    """The player played until `occasion.at`; the event's value is in minutes."""
    if not isinstance(played_for, timedelta) or played_for < timedelta(0):
        raise InvalidEvent(f"played_for: got {played_for!r}, expected a timedelta of 0 or more")
    when = datetime.now(UTC) if occasion.at is None else occasion.at
    ended_us = to_microseconds(when, "at")
    return occasion.event(
        GameSignal.PLAYED, occasion.session.id, ended_us, value=played_for / _MINUTE
    )


def levelled(occasion: Occasion, level: int) -> Event:
    """The player reached a level; each level counts once per session."""
    return occasion.event(GameSignal.LEVELLED, occasion.session.id, level)


def purchased(occasion: Occasion) -> Event:
    """The player bought the game; counts once ever."""
    return occasion.event(GameSignal.PURCHASED)


def skipped(occasion: Occasion) -> Event:
    """The player rejected the game; counts once per session."""
    return occasion.event(GameSignal.SKIPPED, occasion.session.id)


def rated(occasion: Occasion, stars: Stars) -> Event:
    """The player rated the game; each number of stars counts once per session."""
    if stars not in (1, 2, 3, 4, 5):
        raise InvalidEvent(f"stars: got {stars!r}, expected 1, 2, 3, 4 or 5")
    return occasion.event(GameSignal.RATED, occasion.session.id, stars, value=float(stars))


def uninstalled(occasion: Occasion) -> Event:
    """The player uninstalled the game; counts once per session."""
    return occasion.event(GameSignal.UNINSTALLED, occasion.session.id)


def shown(
    user: str, recommendations: Recommendations, session: Session, at: datetime | float | None
) -> Sequence[Event]:
    """One impression for each game of a list; each counts once per list."""
    when = datetime.now(UTC) if at is None else at
    return [
        Event(
            user=user,
            item=item.game.id,
            signal=GameSignal.IMPRESSION,
            occurred_at=when,
            recommendation_id=recommendations.recommendation_id,
            event_id=event_id(
                GameSignal.IMPRESSION, item.game.id, recommendations.recommendation_id
            ),
            context=session.context,
            exposure=Exposure(
                position=item.position,
                propensity=item.propensity,
                propensity_estimated=recommendations.propensity_estimated,
                score=item.score,
            ),
        )
        for item in recommendations.items
    ]
