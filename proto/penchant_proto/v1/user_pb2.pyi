from penchant_proto.v1 import event_pb2 as _event_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetUserRequest(_message.Message):
    __slots__ = ("user",)
    USER_FIELD_NUMBER: _ClassVar[int]
    user: str
    def __init__(self, user: _Optional[str] = ...) -> None: ...

class WindowEvent(_message.Message):
    __slots__ = ("item", "occurred_at_us", "reward", "weight")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_US_FIELD_NUMBER: _ClassVar[int]
    REWARD_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    item: str
    occurred_at_us: int
    reward: float
    weight: float
    def __init__(self, item: _Optional[str] = ..., occurred_at_us: _Optional[int] = ..., reward: _Optional[float] = ..., weight: _Optional[float] = ...) -> None: ...

class GetUserReply(_message.Message):
    __slots__ = ("user", "state_version", "window", "catalog_version", "slow", "fast")
    USER_FIELD_NUMBER: _ClassVar[int]
    STATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    CATALOG_VERSION_FIELD_NUMBER: _ClassVar[int]
    SLOW_FIELD_NUMBER: _ClassVar[int]
    FAST_FIELD_NUMBER: _ClassVar[int]
    user: str
    state_version: int
    window: _containers.RepeatedCompositeFieldContainer[WindowEvent]
    catalog_version: int
    slow: _containers.RepeatedScalarFieldContainer[float]
    fast: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, user: _Optional[str] = ..., state_version: _Optional[int] = ..., window: _Optional[_Iterable[_Union[WindowEvent, _Mapping]]] = ..., catalog_version: _Optional[int] = ..., slow: _Optional[_Iterable[float]] = ..., fast: _Optional[_Iterable[float]] = ...) -> None: ...

class ExportUserRequest(_message.Message):
    __slots__ = ("user", "after_version", "limit", "page_token", "kept_from")
    USER_FIELD_NUMBER: _ClassVar[int]
    AFTER_VERSION_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    KEPT_FROM_FIELD_NUMBER: _ClassVar[int]
    user: str
    after_version: int
    limit: int
    page_token: bytes
    kept_from: int
    def __init__(self, user: _Optional[str] = ..., after_version: _Optional[int] = ..., limit: _Optional[int] = ..., page_token: _Optional[bytes] = ..., kept_from: _Optional[int] = ...) -> None: ...

class LoggedEvent(_message.Message):
    __slots__ = ("event", "state_version", "accepted_at_us", "cost_micros", "reserved_at_us")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    STATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_AT_US_FIELD_NUMBER: _ClassVar[int]
    COST_MICROS_FIELD_NUMBER: _ClassVar[int]
    RESERVED_AT_US_FIELD_NUMBER: _ClassVar[int]
    event: _event_pb2.Event
    state_version: int
    accepted_at_us: int
    cost_micros: int
    reserved_at_us: int
    def __init__(self, event: _Optional[_Union[_event_pb2.Event, _Mapping]] = ..., state_version: _Optional[int] = ..., accepted_at_us: _Optional[int] = ..., cost_micros: _Optional[int] = ..., reserved_at_us: _Optional[int] = ...) -> None: ...

class ExportUserReply(_message.Message):
    __slots__ = ("events", "next_after_version", "state_version", "next_page_token", "kept", "next_kept")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_AFTER_VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    NEXT_KEPT_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[LoggedEvent]
    next_after_version: int
    state_version: int
    next_page_token: bytes
    kept: _containers.RepeatedCompositeFieldContainer[KeptRow]
    next_kept: int
    def __init__(self, events: _Optional[_Iterable[_Union[LoggedEvent, _Mapping]]] = ..., next_after_version: _Optional[int] = ..., state_version: _Optional[int] = ..., next_page_token: _Optional[bytes] = ..., kept: _Optional[_Iterable[_Union[KeptRow, _Mapping]]] = ..., next_kept: _Optional[int] = ...) -> None: ...

class KeptRow(_message.Message):
    __slots__ = ("kind", "json")
    KIND_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    kind: str
    json: str
    def __init__(self, kind: _Optional[str] = ..., json: _Optional[str] = ...) -> None: ...

class ForgetUserRequest(_message.Message):
    __slots__ = ("user",)
    USER_FIELD_NUMBER: _ClassVar[int]
    user: str
    def __init__(self, user: _Optional[str] = ...) -> None: ...

class ForgetUserReply(_message.Message):
    __slots__ = ("deleted_events", "receipt_id", "forgotten_at_us", "deleted")
    DELETED_EVENTS_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_ID_FIELD_NUMBER: _ClassVar[int]
    FORGOTTEN_AT_US_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    deleted_events: int
    receipt_id: str
    forgotten_at_us: int
    deleted: _containers.RepeatedCompositeFieldContainer[DeletedRows]
    def __init__(self, deleted_events: _Optional[int] = ..., receipt_id: _Optional[str] = ..., forgotten_at_us: _Optional[int] = ..., deleted: _Optional[_Iterable[_Union[DeletedRows, _Mapping]]] = ...) -> None: ...

class DeletedRows(_message.Message):
    __slots__ = ("kind", "rows")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    rows: int
    def __init__(self, kind: _Optional[str] = ..., rows: _Optional[int] = ...) -> None: ...

class MergeUsersRequest(_message.Message):
    __slots__ = ("from_user", "to_user")
    FROM_USER_FIELD_NUMBER: _ClassVar[int]
    TO_USER_FIELD_NUMBER: _ClassVar[int]
    from_user: str
    to_user: str
    def __init__(self, from_user: _Optional[str] = ..., to_user: _Optional[str] = ...) -> None: ...

class MergeUsersReply(_message.Message):
    __slots__ = ("moved_events", "state_version")
    MOVED_EVENTS_FIELD_NUMBER: _ClassVar[int]
    STATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    moved_events: int
    state_version: int
    def __init__(self, moved_events: _Optional[int] = ..., state_version: _Optional[int] = ...) -> None: ...
