"""The events of a feedback call, checked, and what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from penchant.domain.errors import ErrorKind, PenchantError
from penchant.domain.limits import Limits, check_count, check_event
from penchant.domain.types import Event


class EventStatus(Enum):
    """The fate of an event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class EventResult:
    """The fate of one event, and the reason for a refusal."""

    event_id: str
    status: EventStatus
    state_version: int
    """The user's version after an accepted event; the current one for a duplicate."""
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class FeedbackRequest:
    """The events of one call."""

    events: tuple[Event | EventResult, ...]
    """In order; `check_feedback` puts refusals in the places of events that break the contract."""


def check_feedback(request: FeedbackRequest, now_us: int, limits: Limits) -> FeedbackRequest:
    """The request with each malformed event replaced by its refusal.

    Raises:
        InvalidRequest: there are no events, or too many.
    """
    check_count("events", request.events, limits.events)
    return FeedbackRequest(tuple([_checked(event, now_us, limits) for event in request.events]))


def _checked(event: Event | EventResult, now_us: int, limits: Limits) -> Event | EventResult:
    if isinstance(event, EventResult):
        return event
    try:
        check_event(event, now_us, limits)
    except PenchantError as error:
        return refused(event, error)
    return event


def refused(event: Event, error: PenchantError) -> EventResult:
    """The result of an event that is not accepted, with the text that its caller may read."""
    message = "see the server's log" if error.kind is ErrorKind.INTERNAL else str(error)
    return EventResult(event.event_id, EventStatus.REFUSED, 0, error.reason, message)
