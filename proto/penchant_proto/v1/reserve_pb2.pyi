from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Cap(_message.Message):
    __slots__ = ("key", "limit", "window_s")
    KEY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    WINDOW_S_FIELD_NUMBER: _ClassVar[int]
    key: str
    limit: int
    window_s: int
    def __init__(self, key: _Optional[str] = ..., limit: _Optional[int] = ..., window_s: _Optional[int] = ...) -> None: ...

class Pace(_message.Message):
    __slots__ = ("window_s", "window_micros", "total_micros", "left_s")
    WINDOW_S_FIELD_NUMBER: _ClassVar[int]
    WINDOW_MICROS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_MICROS_FIELD_NUMBER: _ClassVar[int]
    LEFT_S_FIELD_NUMBER: _ClassVar[int]
    window_s: int
    window_micros: int
    total_micros: int
    left_s: int
    def __init__(self, window_s: _Optional[int] = ..., window_micros: _Optional[int] = ..., total_micros: _Optional[int] = ..., left_s: _Optional[int] = ...) -> None: ...

class Budget(_message.Message):
    __slots__ = ("key", "cost_micros", "allowed_micros", "pace")
    KEY_FIELD_NUMBER: _ClassVar[int]
    COST_MICROS_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_MICROS_FIELD_NUMBER: _ClassVar[int]
    PACE_FIELD_NUMBER: _ClassVar[int]
    key: str
    cost_micros: int
    allowed_micros: int
    pace: Pace
    def __init__(self, key: _Optional[str] = ..., cost_micros: _Optional[int] = ..., allowed_micros: _Optional[int] = ..., pace: _Optional[_Union[Pace, _Mapping]] = ...) -> None: ...

class ReserveOption(_message.Message):
    __slots__ = ("item", "caps", "budget")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    CAPS_FIELD_NUMBER: _ClassVar[int]
    BUDGET_FIELD_NUMBER: _ClassVar[int]
    item: str
    caps: _containers.RepeatedCompositeFieldContainer[Cap]
    budget: Budget
    def __init__(self, item: _Optional[str] = ..., caps: _Optional[_Iterable[_Union[Cap, _Mapping]]] = ..., budget: _Optional[_Union[Budget, _Mapping]] = ...) -> None: ...

class ReserveRequest(_message.Message):
    __slots__ = ("user", "recommendation_id", "options", "n", "lapse_s", "as_of_us")
    USER_FIELD_NUMBER: _ClassVar[int]
    RECOMMENDATION_ID_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    LAPSE_S_FIELD_NUMBER: _ClassVar[int]
    AS_OF_US_FIELD_NUMBER: _ClassVar[int]
    user: str
    recommendation_id: str
    options: _containers.RepeatedCompositeFieldContainer[ReserveOption]
    n: int
    lapse_s: int
    as_of_us: int
    def __init__(self, user: _Optional[str] = ..., recommendation_id: _Optional[str] = ..., options: _Optional[_Iterable[_Union[ReserveOption, _Mapping]]] = ..., n: _Optional[int] = ..., lapse_s: _Optional[int] = ..., as_of_us: _Optional[int] = ...) -> None: ...

class Reservation(_message.Message):
    __slots__ = ("item", "lapses_at_us")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    LAPSES_AT_US_FIELD_NUMBER: _ClassVar[int]
    item: str
    lapses_at_us: int
    def __init__(self, item: _Optional[str] = ..., lapses_at_us: _Optional[int] = ...) -> None: ...

class Unreserved(_message.Message):
    __slots__ = ("item", "reason")
    class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        REASON_UNSPECIFIED: _ClassVar[Unreserved.Reason]
        REASON_CAPPED: _ClassVar[Unreserved.Reason]
        REASON_BUDGET: _ClassVar[Unreserved.Reason]
    REASON_UNSPECIFIED: Unreserved.Reason
    REASON_CAPPED: Unreserved.Reason
    REASON_BUDGET: Unreserved.Reason
    ITEM_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    item: str
    reason: Unreserved.Reason
    def __init__(self, item: _Optional[str] = ..., reason: _Optional[_Union[Unreserved.Reason, str]] = ...) -> None: ...

class ReserveReply(_message.Message):
    __slots__ = ("reserved", "refused")
    RESERVED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    reserved: _containers.RepeatedCompositeFieldContainer[Reservation]
    refused: _containers.RepeatedCompositeFieldContainer[Unreserved]
    def __init__(self, reserved: _Optional[_Iterable[_Union[Reservation, _Mapping]]] = ..., refused: _Optional[_Iterable[_Union[Unreserved, _Mapping]]] = ...) -> None: ...
