"""Users: read a record, export a log, forget, merge."""

from __future__ import annotations

import struct

from penchant.domain.errors import InvalidRequest
from penchant.domain.pseudonyms import called
from penchant.domain.tombstone import ForgetReceipt
from penchant.domain.types import LogRow
from penchant.service.kept_data import KeptRequest
from penchant.service.merge_users import MergedUsers, MergeUsersRequest
from penchant.service.users import ExportUserRequest, LogPage, LogPosition, UserView
from penchant.wire.event import event_message
from penchant_proto.v1 import user_pb2
from penchant_proto.v1.service_pb2 import Reply

_TOKEN = struct.Struct(">QQ")
"""The start of a page, and the state version at the first page."""

DEFAULT_EXPORT_ROWS = 1000
"""Rows per page of an export, for a request that states no limit."""


def user_request(message: user_pb2.GetUserRequest | user_pb2.ForgetUserRequest) -> str:
    """The user to read or to forget."""
    return message.user


def export_request(message: user_pb2.ExportUserRequest) -> ExportUserRequest:
    """The page of a user's log to export."""
    page = _position(message.page_token) if message.HasField("page_token") else None
    if page is not None and message.after_version:
        raise InvalidRequest(
            f"after_version: got {message.after_version} together with page_token, expected 0"
        )
    limit = message.limit or DEFAULT_EXPORT_ROWS
    if message.HasField("kept_from"):
        kept = KeptRequest(message.user, message.kept_from)
        return ExportUserRequest(message.user, 0, limit, kept=kept)
    return ExportUserRequest(message.user, message.after_version, limit, page)


def _position(token: bytes) -> LogPosition:
    if not token:
        return LogPosition()
    if len(token) != _TOKEN.size:
        raise InvalidRequest(
            f"page_token: got {len(token)} bytes, expected {_TOKEN.size}; "
            "pass next_page_token of the page before"
        )
    return LogPosition(*_TOKEN.unpack(token))


def _token(position: LogPosition | None) -> bytes:
    return b"" if position is None else _TOKEN.pack(position.start, position.most_version or 0)


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
            user=called(view.user),
            state_version=view.state_version,
            window=window,
            catalog_version=view.catalog_version,
            slow=view.interest.slow.tolist(),
            fast=view.interest.fast.tolist(),
        )
    )


def export_user_reply(page: LogPage) -> Reply:
    """A page of a user's log, or of what is kept beside it."""
    if page.kept is not None:
        rows = [user_pb2.KeptRow(kind=row.kind, json=row.json) for row in page.kept.rows]
        next_kept = page.kept.next_start
        return Reply(export_user=user_pb2.ExportUserReply(kept=rows, next_kept=next_kept))
    return Reply(
        export_user=user_pb2.ExportUserReply(
            events=[_logged_event(row) for row in page.rows],
            next_after_version=page.next_after_version,
            state_version=page.state_version,
            next_page_token=_token(page.next_page),
        )
    )


def _logged_event(row: LogRow) -> user_pb2.LoggedEvent:
    receipt = row.receipt
    return user_pb2.LoggedEvent(
        event=event_message(row.event),
        state_version=row.state_version,
        accepted_at_us=row.accepted_at_us,
        cost_micros=None if receipt is None else receipt.cost_micros,
        reserved_at_us=None if receipt is None else receipt.reserved_at_us,
    )


def forget_user_reply(receipt: ForgetReceipt) -> Reply:
    """The receipt of a deletion."""
    return Reply(
        forget_user=user_pb2.ForgetUserReply(
            deleted_events=receipt.deleted_events,
            receipt_id=receipt.id,
            forgotten_at_us=receipt.at_us,
            deleted=[
                user_pb2.DeletedRows(kind=kind, rows=rows)
                for kind, rows in sorted(receipt.deleted.items())
            ],
        )
    )


def merge_users_request(message: user_pb2.MergeUsersRequest) -> MergeUsersRequest:
    """The two users."""
    return MergeUsersRequest(message.from_user, message.to_user)


def merge_users_reply(merged: MergedUsers) -> Reply:
    """The number of moved events, and the state version after them."""
    return Reply(
        merge_users=user_pb2.MergeUsersReply(
            moved_events=merged.moved_events, state_version=merged.state_version
        )
    )
