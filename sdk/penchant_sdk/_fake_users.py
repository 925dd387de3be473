"""The fake server's users: their logs, and the verbs that read and write them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from penchant_proto.v1 import event_pb2, feedback_pb2, user_pb2
from penchant_sdk import _fake_checks as checks
from penchant_sdk._fake_catalog import FakeCatalog
from penchant_sdk._fake_ledger import FakeLedger
from penchant_sdk._fake_maths import Taste, Weighed, weigh
from penchant_sdk._fake_signals import IMPRESSIONS, OWNING
from penchant_sdk.errors import (
    EventIdReused,
    InvalidRequest,
    PenchantError,
    UnknownItem,
    UserNotFound,
)

WINDOW_EVENTS = 256
EXPLORATIONS_PER_DAY = 50
DAY_US = 86_400_000_000


@dataclass(slots=True)
class FakeUser:
    """One user's log; the record is read from it."""

    rows: dict[str, user_pb2.LoggedEvent] = field(default_factory=dict)
    weighed: list[Weighed] = field(default_factory=list)

    def window(self) -> list[Weighed]:
        """The latest events, oldest first."""
        return sorted(self.weighed, key=lambda one: (one.event.occurred_at_us, one.event.event_id))[
            -WINDOW_EVENTS:
        ]

    @property
    def owned(self) -> set[str]:
        """The items that are the user's own."""
        events = (row.event for row in self.rows.values())
        return {event.item for event in events if event.signal in OWNING}

    def explorations_left(self, now_us: int) -> int:
        """Explored impressions that the budget still allows."""
        explored = [
            one
            for one in self.window()
            if one.event.signal in IMPRESSIONS
            and 0 < one.event.exposure.propensity < 1
            and one.event.occurred_at_us > now_us - DAY_US
        ]
        return max(0, EXPLORATIONS_PER_DAY - len(explored))


class FakeUsers:
    """Users in memory."""

    def __init__(
        self, catalog: FakeCatalog, ledger: FakeLedger, clock: Callable[[], float]
    ) -> None:
        self._catalog = catalog
        self._ledger = ledger
        self._clock = clock
        self._users: dict[str, FakeUser] = {}

    def find(self, user: str) -> FakeUser:
        """The user; one without events where there is none."""
        return self._users.get(user, FakeUser())

    def feedback(self, request: feedback_pb2.FeedbackRequest) -> feedback_pb2.FeedbackReply:
        """Learns from events."""
        checks.check_count("events", request.events, 1000)
        results = [self._take(event) for event in request.events]
        for event, result in zip(request.events, results, strict=True):
            # The version after the whole call, as the contract says.
            if event.user in self._users:
                result.state_version = len(self._users[event.user].rows)
        return feedback_pb2.FeedbackReply(results=results)

    def _take(self, event: event_pb2.Event) -> feedback_pb2.EventResult:
        now_us = round(self._clock() * 1e6)
        result = feedback_pb2.EventResult(event_id=event.event_id)
        if not event.HasField("occurred_at_us"):
            event.occurred_at_us = now_us
        try:
            result.status = self._accept(event, now_us)
        except PenchantError as error:
            result.status = feedback_pb2.EventResult.STATUS_REFUSED
            result.reason, result.message = error.reason, str(error)
        return result

    def _accept(self, event: event_pb2.Event, now_us: int) -> feedback_pb2.EventResult.Status:
        checks.check_event(event, now_us)
        weighed = weigh(event)
        user = self.find(event.user)
        known = user.rows.get(event.event_id)
        if known is not None:
            same = event_pb2.Event()
            same.CopyFrom(event)
            same.occurred_at_us = known.event.occurred_at_us  # Some callers make the time anew.
            if same != known.event:
                raise EventIdReused(f"event_id: got {event.event_id!r} with other content")
            return feedback_pb2.EventResult.STATUS_DUPLICATE
        if event.item not in self._catalog.items:
            raise UnknownItem(f"item: got {event.item!r}, which the catalog does not hold")
        self._users[event.user] = user
        user.rows[event.event_id] = user_pb2.LoggedEvent(
            event=event, state_version=len(user.rows) + 1, accepted_at_us=now_us
        )
        user.weighed.append(weighed)
        self._ledger.confirm(event)
        if weighed.reward > 0:
            gained = weighed.weight * weighed.reward
            positives = self._catalog.positives
            positives[event.item] = positives.get(event.item, 0.0) + gained
        return feedback_pb2.EventResult.STATUS_ACCEPTED

    def _known_user(self, user: str) -> FakeUser:
        checks.check_id("user", user)
        if user not in self._users:
            raise UserNotFound(f"user: no event of {user[:64]!r} was ever accepted")
        return self._users[user]

    def get_user(self, request: user_pb2.GetUserRequest) -> user_pb2.GetUserReply:
        """A user's record."""
        user = self._known_user(request.user)
        window = user.window()
        taste = Taste(window, self._catalog.vectors)
        return user_pb2.GetUserReply(
            user=request.user,
            state_version=len(user.rows),
            window=[
                user_pb2.WindowEvent(
                    item=one.event.item if one.event.item in self._catalog.items else "",
                    occurred_at_us=one.event.occurred_at_us,
                    reward=one.reward,
                    weight=one.weight,
                )
                for one in reversed(window)
            ],
            catalog_version=self._catalog.version,
            slow=taste.slow,
            fast=taste.fast,
        )

    def export_user(self, request: user_pb2.ExportUserRequest) -> user_pb2.ExportUserReply:
        """A page of a user's log."""
        user = self._known_user(request.user)
        limit = request.limit or 1000
        if limit > 10_000:
            raise InvalidRequest(f"limit: got {limit}, expected at most 10000")
        rows = [row for row in user.rows.values() if row.state_version > request.after_version]
        page = rows[:limit]
        return user_pb2.ExportUserReply(
            events=page,
            next_after_version=page[-1].state_version if len(rows) > limit else 0,
            state_version=len(user.rows),
        )

    def forget_user(self, request: user_pb2.ForgetUserRequest) -> user_pb2.ForgetUserReply:
        """Deletes a user."""
        checks.check_id("user", request.user)
        if self._ledger.forget(request.user):  # Who only has reservations is known as well.
            self._users.setdefault(request.user, FakeUser())
        rows = self._known_user(request.user).rows
        del self._users[request.user]
        return user_pb2.ForgetUserReply(deleted_events=len(rows))
