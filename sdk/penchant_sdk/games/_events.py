"""What a player did, as events: without I/O, and with ids that say what happened.

An id is made of what happened, so telling it again (a retry, a second click, a restarted game)
counts once: a purchase once for ever, a start, a skip, an uninstallation, a level and a rating of
so many stars once a session, a stretch of play once for its game and its end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from penchant_sdk.errors import InvalidEvent
from penchant_sdk.games.types import Recommendations, Session, Stars
from penchant_sdk.types import Event, Exposure, to_microseconds

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """Whose event it is, with which game, when and where."""

    user: str
    game: str
    session: Session
    recommendation_id: str = ""
    at: datetime | float | None = None
    """None: now."""

    def event(self, signal: str, *occasion: object, value: float | None = None) -> Event:
        """The event, with an id of its signal, its game and its occasion."""
        when = datetime.now(UTC) if self.at is None else self.at
        return Event(
            user=self.user,
            item=self.game,
            signal=signal,
            value=value,
            occurred_at=when,
            recommendation_id=self.recommendation_id,
            event_id=event_id(signal, self.game, *occasion),
            context=self.session.context,
        )


def event_id(signal: str, *parts: object) -> str:
    """A name for what happened: equal parts, equal names. At most 128 bytes.

    >>> event_id("purchased", "0ad") == event_id("purchased", "0ad")
    True
    """
    text = "\0".join(str(part) for part in parts)
    return f"{signal}-{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"


def started(moment: Moment) -> Event:
    """Once a session and game."""
    return moment.event("started", moment.session.id)


def played(moment: Moment, played_for: timedelta) -> Event:
    """A stretch of play that ends at the moment; its value is in minutes."""
    if not isinstance(played_for, timedelta) or played_for < timedelta(0):
        raise InvalidEvent(f"played_for: got {played_for!r}, expected a timedelta of 0 or more")
    when = datetime.now(UTC) if moment.at is None else moment.at
    ended_us = to_microseconds(when, "at")
    return moment.event("played", moment.session.id, ended_us, value=played_for / _MINUTE)


def levelled(moment: Moment, level: int) -> Event:
    """Once a session, game and level."""
    return moment.event("levelled", moment.session.id, level)


def purchased(moment: Moment) -> Event:
    """Once for ever."""
    return moment.event("purchased")


def skipped(moment: Moment) -> Event:
    """Once a session and game."""
    return moment.event("skipped", moment.session.id)


def rated(moment: Moment, stars: Stars) -> Event:
    """Once a session, game and number of stars."""
    if stars not in (1, 2, 3, 4, 5):
        raise InvalidEvent(f"stars: got {stars!r}, expected 1, 2, 3, 4 or 5")
    return moment.event("rated", moment.session.id, stars, value=float(stars))


def uninstalled(moment: Moment) -> Event:
    """Once a session and game."""
    return moment.event("uninstalled", moment.session.id)


def shown(
    user: str, recommendations: Recommendations, session: Session, at: datetime | float | None
) -> Sequence[Event]:
    """One impression a game, each once for its list."""
    when = datetime.now(UTC) if at is None else at
    return [
        Event(
            user=user,
            item=item.game.id,
            signal="impression",
            occurred_at=when,
            recommendation_id=recommendations.recommendation_id,
            event_id=event_id("impression", item.game.id, recommendations.recommendation_id),
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
