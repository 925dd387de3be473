"""Penchant's SDK: rank items for a user, report the user's actions, and rank again.

    >>> from penchant_sdk import Event, Item, Penchant
    >>> client = Penchant("localhost:8001", timeout_s=0.5)
    >>> client
    Penchant('localhost:8001')
    >>> client.close()

`AsyncPenchant` offers the same for asyncio. `penchant_sdk.testing` has fakes of both for tests.
"""

from __future__ import annotations

from penchant_sdk._aio_transport import AsyncTransport
from penchant_sdk._transport import Transport
from penchant_sdk.aio import AsyncPenchant
from penchant_sdk.client import Penchant
from penchant_sdk.client_tls import Tls
from penchant_sdk.errors import (
    Cancelled,
    DeadlineExceeded,
    EncoderUnavailable,
    EventIdReused,
    InternalError,
    InvalidEvent,
    InvalidRequest,
    ModelNotFound,
    Overloaded,
    PenchantError,
    PermissionDenied,
    ServerError,
    SpoolRefused,
    StateBehind,
    StateCorrupt,
    StateTooNew,
    StoreUnavailable,
    Unauthenticated,
    Unavailable,
    UnknownItem,
    UserForgotten,
    UserNotFound,
)
from penchant_sdk.exploration import EpsilonGreedy, Exploration, PlackettLuce, Thompson
from penchant_sdk.records import (
    DeleteItemsResult,
    Embeddings,
    ForgetReceipt,
    GetItemsResult,
    KeptRow,
    LoggedEvent,
    MergedUsers,
    PutItemsResult,
    UserExport,
    UserState,
    WindowEvent,
)
from penchant_sdk.reservations import (
    Budget,
    Cap,
    Pace,
    Reservation,
    Reservations,
    ReserveOption,
    Unreserved,
    UnreservedReason,
)
from penchant_sdk.signal_names import DefaultSignal
from penchant_sdk.types import (
    Contribution,
    Event,
    EventResult,
    EventStatus,
    Explanation,
    Exposure,
    FeedbackAck,
    Item,
    RankedItem,
    Ranking,
)

__all__ = [
    "AsyncPenchant",
    "AsyncTransport",
    "Budget",
    "Cancelled",
    "Cap",
    "Contribution",
    "DeadlineExceeded",
    "DefaultSignal",
    "DeleteItemsResult",
    "Embeddings",
    "EncoderUnavailable",
    "EpsilonGreedy",
    "Event",
    "EventIdReused",
    "EventResult",
    "EventStatus",
    "Explanation",
    "Exploration",
    "Exposure",
    "FeedbackAck",
    "ForgetReceipt",
    "GetItemsResult",
    "InternalError",
    "InvalidEvent",
    "InvalidRequest",
    "Item",
    "KeptRow",
    "LoggedEvent",
    "MergedUsers",
    "ModelNotFound",
    "Overloaded",
    "Pace",
    "Penchant",
    "PenchantError",
    "PermissionDenied",
    "PlackettLuce",
    "PutItemsResult",
    "RankedItem",
    "Ranking",
    "Reservation",
    "Reservations",
    "ReserveOption",
    "ServerError",
    "SpoolRefused",
    "StateBehind",
    "StateCorrupt",
    "StateTooNew",
    "StoreUnavailable",
    "Thompson",
    "Tls",
    "Transport",
    "Unauthenticated",
    "Unavailable",
    "UnknownItem",
    "Unreserved",
    "UnreservedReason",
    "UserExport",
    "UserForgotten",
    "UserNotFound",
    "UserState",
    "WindowEvent",
]
