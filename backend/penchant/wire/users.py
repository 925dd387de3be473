"""Users: read a record, export a log, forget."""

from __future__ import annotations

from penchant.domain.types import LogRow
from penchant.service.users import ExportUserRequest, LogPage, UserView
from penchant.wire.event import event_message
from penchant_proto.v1 import user_pb2
from penchant_proto.v1.service_pb2 import Reply

DEFAULT_EXPORT_ROWS = 1000
"""Rows per page of an export, for a request that states no limit."""


def user_request(message: user_pb2.GetUserRequest | user_pb2.ForgetUserRequest) -> str:
    """The user to read or to forget."""
    return message.user


def export_request(message: user_pb2.ExportUserRequest) -> ExportUserRequest:
    """The page of a user's log to export."""
    return ExportUserRequest(
        message.user, message.after_version, message.limit or DEFAULT_EXPORT_ROWS
    )


def get_user_reply(view: UserView) -> Reply:
    """A user's record, newest event first."""
    window = [
        user_pb2.WindowEvent(
            item=id_,
            occurred_at_us=int(event["occurred_at_us"]),
            reward=float(event["reward"]),
            weight=float(event["weight"]),
        )
        for event, id_ in zip(view.window[::-1], reversed(view.items), strict=True)
    ]
    return Reply(
        get_user=user_pb2.GetUserReply(
            user=view.user,
            state_version=view.state_version,
            window=window,
            catalog_version=view.catalog_version,
            slow=view.interest.slow.tolist(),
            fast=view.interest.fast.tolist(),
        )
    )


def export_user_reply(page: LogPage) -> Reply:
    """A page of a user's log."""
    return Reply(
        export_user=user_pb2.ExportUserReply(
            events=[_logged_event(row) for row in page.rows],
            next_after_version=page.next_after_version,
            state_version=page.state_version,
        )
    )


def _logged_event(row: LogRow) -> user_pb2.LoggedEvent:
    return user_pb2.LoggedEvent(
        event=event_message(row.event),
        state_version=row.state_version,
        accepted_at_us=row.accepted_at_us,
    )


def forget_user_reply(deleted_events: int) -> Reply:
    """The number of log rows that were deleted."""
    return Reply(forget_user=user_pb2.ForgetUserReply(deleted_events=deleted_events))
