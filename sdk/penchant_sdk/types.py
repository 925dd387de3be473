"""What goes in and what comes back: items, events, rankings and acks, all frozen.

>>> event = Event(user="u42", item="1", signal="like", event_id="e1", occurred_at=1.5)
>>> event.occurred_at_us
1500000
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from uuid import uuid4

from penchant_sdk.errors import InvalidEvent, InvalidRequest, ServerError, error_from_reason

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _new_event_id() -> str:
    return uuid4().hex


def _now() -> datetime:
    return datetime.now(UTC)


def to_microseconds(when: datetime | float, name: str) -> int:
    """Microseconds since 1970-01-01 UTC; raises InvalidEvent for a naive or unusable time.

    Args:
        when: a datetime with a time zone, or epoch seconds.
        name: what to call it in the error.

    >>> to_microseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), "occurred_at")
    1000000
    """
    if isinstance(when, datetime):
        if when.utcoffset() is None:
            raise InvalidEvent(
                f"{name}: got the naive datetime {when.isoformat()}, expected a time zone, "
                "for example datetime.now(timezone.utc)"
            )
        return (when - _EPOCH) // _MICROSECOND
    if isinstance(when, (int, float)) and not isinstance(when, bool) and math.isfinite(when):
        return round(when * 1e6)
    raise InvalidEvent(
        f"{name}: got {when!r}, expected a datetime with a time zone or epoch seconds"
    )


def from_microseconds(microseconds: int) -> datetime:
    """The UTC datetime of microseconds since 1970-01-01 UTC, exactly."""
    return _EPOCH + timedelta(microseconds=microseconds)


@dataclass(frozen=True, slots=True)
class Item:
    """Something that can be ranked: a film, an ad, a level, an action of a smart home."""

    id: str
    """Your name for it. 1 to 256 bytes of UTF-8."""
    text: str
    """What the encoder reads. 1 to 8,192 bytes of UTF-8."""
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Kept and returned with the item; not read by the encoder. At most 64 entries."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """How an item was shown, as its ranking had it; kept in the log for evaluations.

    Raises:
        InvalidEvent: a propensity outside 0 to 1, a negative position, a score that is not finite.
    """

    position: int = 0
    """Place in the list or slot, 1 first; 0: not told."""
    propensity: float = 0.0
    """`RankedItem.propensity`; 0: not told."""
    propensity_estimated: bool = False
    """`Ranking.propensity_estimated`."""
    score: float = 0.0
    """`RankedItem.score`; 0: not told."""

    def __post_init__(self) -> None:
        if not 0 <= self.propensity <= 1:
            raise InvalidEvent(f"propensity: got {self.propensity}, expected 0 to 1")
        if self.position < 0:
            raise InvalidEvent(f"position: got {self.position}, expected 0 or more")
        if not math.isfinite(self.score):
            raise InvalidEvent(f"score: got {self.score}, expected a finite number")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a user did (or was shown) with an item.

    Its id and its time are fixed when it is made, so sending the same object again, by hand or by a
    retry, changes nothing on the server.

    Raises:
        InvalidEvent: an empty text, or an `occurred_at` that is naive, not finite or no time.
    """

    user: str
    """Whose event it is. 1 to 256 bytes."""
    item: str
    """An item of the catalog."""
    signal: str
    """A name from the server's signal table: like, dislike, click, view, rating, impression, ..."""
    value: float | None = None
    """What the signal measured (stars of a rating, say). None: the signal's own reward."""
    occurred_at: datetime | float = field(default_factory=_now)
    """A datetime with a time zone, or seconds since 1970-01-01 UTC. Default: now."""
    recommendation_id: str = ""
    """`Ranking.recommendation_id` of the ranking that led to it; empty: none."""
    event_id: str = field(default_factory=_new_event_id)
    """Names the event among its user's, for ever. 1 to 128 bytes. Default: a new random id."""
    context: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Where and when (part of day, room, device, session), as the ranking had it. At most 32
    entries; the first five by key weigh, where the server listens to contexts."""
    exposure: Exposure | None = None
    """For impressions: how the item was shown."""

    def __post_init__(self) -> None:
        for name in ("user", "item", "signal", "event_id"):
            text = getattr(self, name)
            if not isinstance(text, str) or not text:
                raise InvalidEvent(f"{name}: got {text!r}, expected text of 1 byte or more")
        to_microseconds(self.occurred_at, "occurred_at")

    @property
    def occurred_at_us(self) -> int:
        """`occurred_at` in microseconds since 1970-01-01 UTC, as it travels."""
        return to_microseconds(self.occurred_at, "occurred_at")


@dataclass(frozen=True, slots=True)
class Contribution:
    """One past event's share in one score."""

    event_id: str
    """Empty where its log row is gone."""
    item: str
    signal: str
    """Empty where its log row is gone."""
    occurred_at: datetime
    """UTC."""
    share: float
    """What the event adds to the score; negative where it lowers it."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The parts of one score: offset + slow + fast + near + query = score."""

    offset: float
    """What everybody thinks of the item."""
    slow: float
    """What the user's lasting taste adds."""
    fast: float
    """What the user's last few likes add."""
    near: float
    """What the neighbours of the last few likes add, or for a newcomer what people begin with."""
    query: float
    """What the query adds."""
    contributions: tuple[Contribution, ...]
    """At most five past events, the weightiest (by absolute share) first."""


@dataclass(frozen=True, slots=True)
class RankedItem:
    """One item with its place earned."""

    id: str
    score: float
    """Higher is better; comparable within one ranking only."""
    explanation: Explanation | None = None
    """Present where `explain` was asked for."""
    propensity: float = 1.0
    """The chance of this item at this place, given those above it; 1 where nothing is explored."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best items for a user, best first."""

    recommendation_id: str
    """Names this ranking; send it back with the events that it leads to."""
    items: tuple[RankedItem, ...]
    unknown_candidates: tuple[str, ...]
    """Candidates that the catalog does not hold."""
    state_version: int
    """The version of the user's state that was used: how many events of the user were accepted."""
    catalog_version: int
    encoder_version: str
    cold_start: bool
    """True where the user has no events yet: the ranking is the population's."""
    explored: bool = False
    """True where `explore` was asked for and the user's budget allowed it."""
    propensity_estimated: bool = False
    """True where the propensities are estimates (Thompson)."""
    explorations_left: int = 0
    """Explored impressions that the user's budget still allows today."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The items' ids, best first."""
        return tuple(item.id for item in self.items)


class EventStatus(Enum):
    """What became of an event."""

    ACCEPTED = "accepted"
    """Durable, and part of the user's very next ranking."""
    DUPLICATE = "duplicate"
    """Already there with the same content; nothing changed."""
    REFUSED = "refused"
    """Not taken; the other events are unaffected."""


@dataclass(frozen=True, slots=True)
class EventResult:
    """What became of one event, and why."""

    event_id: str
    user: str
    status: EventStatus
    state_version: int
    """The user's state version after the call; 0 for a refused event of an unknown user."""
    reason: str = ""
    """For a refused event: InvalidEvent, UnknownItem, EventIdReused."""
    message: str = ""
    """For a refused event: what was wrong, what was got, what was expected."""


@dataclass(frozen=True, slots=True)
class FeedbackAck:
    """One result per event, in the order of the events."""

    results: tuple[EventResult, ...]

    @property
    def refused(self) -> tuple[EventResult, ...]:
        """The results of the events that were not taken."""
        return tuple(item for item in self.results if item.status is EventStatus.REFUSED)

    def state_version(self, user: str) -> int:
        """The user's state version after the events, for `min_state_version` of `rank`.

        Raises:
            InvalidRequest: none of the events was this user's.
        """
        versions = [item.state_version for item in self.results if item.user == user]
        if not versions:
            raise InvalidRequest(f"user: got {user!r}, expected a user of one of the acked events")
        return max(versions)

    def raise_for_refused(self) -> None:
        """Raises the error of the first refused event, if there is one.

        Raises:
            InvalidEvent: it breaks the contract.
            UnknownItem: the catalog does not hold its item.
            EventIdReused: its id was accepted before with other content.
        """
        for item in self.refused:
            text = f"event {item.event_id!r}: {item.message}"
            raise error_from_reason(item.reason, text) or ServerError(f"[{item.reason}] {text}")
