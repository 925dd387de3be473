from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Exposure(_message.Message):
    __slots__ = ("position", "propensity", "propensity_estimated", "score")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PROPENSITY_FIELD_NUMBER: _ClassVar[int]
    PROPENSITY_ESTIMATED_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    position: int
    propensity: float
    propensity_estimated: bool
    score: float
    def __init__(self, position: _Optional[int] = ..., propensity: _Optional[float] = ..., propensity_estimated: bool = ..., score: _Optional[float] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("event_id", "user", "item", "signal", "value", "occurred_at_us", "recommendation_id", "context", "exposure")
    class ContextEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_US_FIELD_NUMBER: _ClassVar[int]
    RECOMMENDATION_ID_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    EXPOSURE_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    user: str
    item: str
    signal: str
    value: float
    occurred_at_us: int
    recommendation_id: str
    context: _containers.ScalarMap[str, str]
    exposure: Exposure
    def __init__(self, event_id: _Optional[str] = ..., user: _Optional[str] = ..., item: _Optional[str] = ..., signal: _Optional[str] = ..., value: _Optional[float] = ..., occurred_at_us: _Optional[int] = ..., recommendation_id: _Optional[str] = ..., context: _Optional[_Mapping[str, str]] = ..., exposure: _Optional[_Union[Exposure, _Mapping]] = ...) -> None: ...
