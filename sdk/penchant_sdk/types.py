"""Arguments and results of the main verbs: items, events, rankings and acknowledgements.

>>> event = Event(user="u42", item="1", signal="like", event_id="e1", occurred_at=1.5)
>>> event.occurred_at_us
1500000
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from uuid import uuid4

from penchant_sdk import _arguments
from penchant_sdk._times import to_microseconds
from penchant_sdk.errors import InvalidEvent, InvalidRequest, ServerError, error_from_reason


def _new_event_id() -> str:
    return uuid4().hex


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Item:
    """Something that can be ranked: a film, an ad, a level, an action of a smart home."""

    id: str
    """Your own id, 1 to 256 bytes of UTF-8."""
    text: str
    """Text for the encoder, 1 to 8,192 bytes of UTF-8."""
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Stored and returned with the item, but not encoded. At most 64 entries."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """How an item was exposed to its user, copied from the ranking; logged for evaluation.

    Raises:
        InvalidEvent: a field is of a wrong type, the propensity is outside 0 to 1, the position
            negative, or the score not finite.
    """

    position: int = 0
    """Position in the list or slot, counted from 1. 0: unknown."""
    propensity: float = 0.0
    """`RankedItem.propensity`. 0: unknown."""
    propensity_estimated: bool = False
    """`Ranking.propensity_estimated`."""
    score: float = 0.0
    """`RankedItem.score`. 0: unknown."""

    def __post_init__(self) -> None:
        error = InvalidEvent
        _arguments.whole("position", self.position, most=_arguments.UINT32_MAX, error=error)
        if not 0 <= _arguments.real("propensity", self.propensity, error) <= 1:
            raise InvalidEvent(f"propensity: got {self.propensity}, expected 0 to 1")
        _arguments.flag("propensity_estimated", self.propensity_estimated, error)
        if not math.isfinite(_arguments.real("score", self.score, error)):
            raise InvalidEvent(f"score: got {self.score}, expected a finite number")


@dataclass(frozen=True, slots=True)
class Event:
    """An action of a user on an item, or an impression of it.

    The id and the time are set when the object is made, so sending it again, by hand or by a retry,
    changes nothing on the server.

    Raises:
        InvalidEvent: a field is of a wrong type, a required text is empty, a text cannot be encoded
            as UTF-8, or `occurred_at` is naive, not finite or not a time.
    """

    user: str
    """The user's id, 1 to 256 bytes."""
    item: str
    """Id of an item in the catalog."""
    signal: str
    """A name from the server's signal table: a text, or a `DefaultSignal`. The server refuses a
    name that its table lacks, and lists those that it has."""
    value: float | None = None
    """Measured value, for example the stars of a rating, within the signal's range. None: the
    signal's own reward."""
    occurred_at: datetime | float = field(default_factory=_now)
    """A datetime with a time zone, or seconds since 1970-01-01 UTC. Default: now."""
    recommendation_id: str = ""
    """`Ranking.recommendation_id` of the ranking that led to the event. Empty: none."""
    event_id: str = field(default_factory=_new_event_id)
    """Unique among all events of the user, 1 to 128 bytes. Default: a new random id."""
    context: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Place and time (part of day, room, device, session), as in the ranking. At most 32 entries.
    The first five keys in alphabetical order influence the user's interest if the server's setting
    `context_halvings` is above 0."""
    exposure: Exposure | None = None
    """For impressions: how the item was exposed to the user."""

    def __post_init__(self) -> None:
        for name in ("user", "item", "signal", "event_id"):
            _arguments.text(name, getattr(self, name), error=InvalidEvent)
        if self.value is not None:
            _arguments.real("value", self.value, InvalidEvent)
        to_microseconds(self.occurred_at, "occurred_at")
        name = "recommendation_id"
        _arguments.text(name, self.recommendation_id, empty=True, error=InvalidEvent)
        _arguments.texts_by_key("context", self.context, InvalidEvent)
        if self.exposure is not None:
            _arguments.instance("exposure", self.exposure, Exposure, InvalidEvent)

    @property
    def occurred_at_us(self) -> int:
        """`occurred_at` in microseconds since 1970-01-01 UTC."""
        return to_microseconds(self.occurred_at, "occurred_at")


@dataclass(frozen=True, slots=True)
class Contribution:
    """The contribution of one past event to one score."""

    event_id: str
    """Empty if the event's log row was deleted."""
    item: str
    signal: str
    """Empty if the event's log row was deleted."""
    occurred_at: datetime
    """UTC."""
    share: float
    """The event's contribution to the score; negative if it lowers the score."""
    value: float | None = None
    """The event's value, for example minutes of play. None: it had none, or its log row was
    deleted."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The parts of one score: offset + slow + fast + near + query = score."""

    offset: float
    """Contribution of the item's popularity."""
    slow: float
    """Contribution of the user's long-term interest."""
    fast: float
    """Contribution of the user's latest likes."""
    near: float
    """Contribution of the neighbours of the latest likes; for a new user, of the items that users
    start with."""
    query: float
    """Contribution of the query."""
    contributions: tuple[Contribution, ...]
    """At most five past events, in descending order of absolute share."""
    repeat: float = 0.0
    """Contribution of the user's own earlier likes of the item, where the log repeats likes."""


@dataclass(frozen=True, slots=True)
class RankedItem:
    """One item of a ranking."""

    id: str
    score: float
    """Higher is better; comparable only within one ranking."""
    explanation: Explanation | None = None
    """None unless the call set `explain`."""
    propensity: float = 1.0
    """Probability of this item here, given the items above it; 1 without exploration."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best items for a user, best first."""

    recommendation_id: str
    """Id of this ranking; send it with the events that the ranking leads to."""
    items: tuple[RankedItem, ...]
    unknown_candidates: tuple[str, ...]
    """Candidates that the catalog does not hold."""
    state_version: int
    """Version of the user's state behind the ranking: the number of accepted events of the user."""
    catalog_version: int
    encoder_version: str
    cold_start: bool
    """True if the user has no events yet, so that the ranking is the population's."""
    explored: bool = False
    """True if the call set `explore` and the user's budget allowed it."""
    propensity_estimated: bool = False
    """True if the propensities are estimates (Thompson sampling)."""
    explorations_left: int = 0
    """Explored impressions left in the user's budget for today."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the items, best first."""
        return tuple(item.id for item in self.items)

    def reasons(self, per_item: int = 2) -> tuple[tuple[Contribution, ...], ...]:
        """The past events to name for each item to a person; empty without `explain`.

        The largest shares are often of one event, all the way down a list. So an event counts
        less for an item the more of the items before have named it, as long as its share is at
        least 0.3 of the item's largest.

        Args:
            per_item: most events for one item.

        Returns:
            For each item, events with positive shares about different items, largest share first.
        """
        named: Counter[str] = Counter()
        return tuple(_reasons(item.explanation, per_item, named) for item in self.items)


_NOTABLE = 0.3
"""An event may be a reason if its share is at least this fraction of the largest share."""


def _reasons(why: Explanation | None, most: int, named: Counter[str]) -> tuple[Contribution, ...]:
    speaking: dict[str, Contribution] = {}
    for one in why.contributions if why else ():
        if one.share > 0 and one.item:
            speaking.setdefault(one.item, one)
    least = _NOTABLE * max((one.share for one in speaking.values()), default=0.0)
    left = [one for one in speaking.values() if one.share >= least]
    left.sort(key=lambda one: -one.share / (1 + named[one.item]))
    chosen = sorted(left[:most], key=lambda one: -one.share)
    named.update(one.item for one in chosen)
    return tuple(chosen)


class EventStatus(Enum):
    """What became of an event."""

    ACCEPTED = "accepted"
    """Durable, and part of the user's next ranking."""
    DUPLICATE = "duplicate"
    """Already stored with the same content; nothing changed."""
    REFUSED = "refused"
    """Not stored; other events of the call are unaffected."""
    SPOOLED = "spooled"
    """Not delivered yet: it waits in the client's spool, on disk."""


@dataclass(frozen=True, slots=True)
class EventResult:
    """What became of one event, with the reason for a refusal."""

    event_id: str
    user: str
    status: EventStatus
    state_version: int
    """The user's state version after the call; 0 for a refused event of an unknown user, and for
    one that waits in the spool."""
    reason: str = ""
    """For a refused event: InvalidEvent, UnknownItem or EventIdReused."""
    message: str = ""
    """For a refused event: the field at fault, the value received and the value expected."""


@dataclass(frozen=True, slots=True)
class FeedbackAck:
    """The results of a `feedback` call, one for each event, in the order of the events."""

    results: tuple[EventResult, ...]

    @property
    def refused(self) -> tuple[EventResult, ...]:
        """The results of the refused events."""
        return tuple(item for item in self.results if item.status is EventStatus.REFUSED)

    @property
    def spooled(self) -> tuple[EventResult, ...]:
        """The results of the events that wait in the client's spool."""
        return tuple(item for item in self.results if item.status is EventStatus.SPOOLED)

    def state_version(self, user: str) -> int:
        """The user's state version after the events, to pass to `rank` as `min_state_version`.

        Events that wait in the spool have none yet: with them alone, it is 0.

        Raises:
            InvalidRequest: the call contained no event of this user.
        """
        versions = [item.state_version for item in self.results if item.user == user]
        if not versions:
            raise InvalidRequest(f"user: got {user!r}, expected a user of one of the acked events")
        return max(versions)

    def raise_for_refused(self) -> None:
        """Raises the error of the first refused event, if any was refused.

        Raises:
            InvalidEvent: the event breaks the contract.
            UnknownItem: the catalog does not hold the event's item.
            EventIdReused: an earlier event with this id has other content.
        """
        for item in self.refused:
            text = f"event {item.event_id!r}: {item.message}"
            raise error_from_reason(item.reason, text) or ServerError(f"[{item.reason}] {text}")
