from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Event(_message.Message):
    __slots__ = ("event_id", "user", "item", "signal", "value", "occurred_at_us", "recommendation_id")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_US_FIELD_NUMBER: _ClassVar[int]
    RECOMMENDATION_ID_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    user: str
    item: str
    signal: str
    value: float
    occurred_at_us: int
    recommendation_id: str
    def __init__(self, event_id: _Optional[str] = ..., user: _Optional[str] = ..., item: _Optional[str] = ..., signal: _Optional[str] = ..., value: _Optional[float] = ..., occurred_at_us: _Optional[int] = ..., recommendation_id: _Optional[str] = ...) -> None: ...
