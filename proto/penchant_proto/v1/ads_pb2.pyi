from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TargetingRule(_message.Message):
    __slots__ = ("key", "values", "excluded")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_FIELD_NUMBER: _ClassVar[int]
    key: str
    values: _containers.RepeatedScalarFieldContainer[str]
    excluded: bool
    def __init__(self, key: _Optional[str] = ..., values: _Optional[_Iterable[str]] = ..., excluded: bool = ...) -> None: ...

class FrequencyCap(_message.Message):
    __slots__ = ("limit", "per")
    class Per(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        PER_UNSPECIFIED: _ClassVar[FrequencyCap.Per]
        PER_HOUR: _ClassVar[FrequencyCap.Per]
        PER_DAY: _ClassVar[FrequencyCap.Per]
        PER_FLIGHT: _ClassVar[FrequencyCap.Per]
    PER_UNSPECIFIED: FrequencyCap.Per
    PER_HOUR: FrequencyCap.Per
    PER_DAY: FrequencyCap.Per
    PER_FLIGHT: FrequencyCap.Per
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    PER_FIELD_NUMBER: _ClassVar[int]
    limit: int
    per: FrequencyCap.Per
    def __init__(self, limit: _Optional[int] = ..., per: _Optional[_Union[FrequencyCap.Per, str]] = ...) -> None: ...

class DayPart(_message.Message):
    __slots__ = ("weekdays", "from_hour", "until_hour")
    WEEKDAYS_FIELD_NUMBER: _ClassVar[int]
    FROM_HOUR_FIELD_NUMBER: _ClassVar[int]
    UNTIL_HOUR_FIELD_NUMBER: _ClassVar[int]
    weekdays: _containers.RepeatedScalarFieldContainer[int]
    from_hour: int
    until_hour: int
    def __init__(self, weekdays: _Optional[_Iterable[int]] = ..., from_hour: _Optional[int] = ..., until_hour: _Optional[int] = ...) -> None: ...

class Creative(_message.Message):
    __slots__ = ("id", "text")
    ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    id: str
    text: str
    def __init__(self, id: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class Campaign(_message.Message):
    __slots__ = ("advertiser", "categories", "targeting", "starts_at_us", "ends_at_us", "budget_micros", "bid_micros", "caps", "day_parts", "time_zone", "budget_per_day", "target_cpa_micros", "target_roas", "creatives", "avoids")
    ADVERTISER_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    TARGETING_FIELD_NUMBER: _ClassVar[int]
    STARTS_AT_US_FIELD_NUMBER: _ClassVar[int]
    ENDS_AT_US_FIELD_NUMBER: _ClassVar[int]
    BUDGET_MICROS_FIELD_NUMBER: _ClassVar[int]
    BID_MICROS_FIELD_NUMBER: _ClassVar[int]
    CAPS_FIELD_NUMBER: _ClassVar[int]
    DAY_PARTS_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    BUDGET_PER_DAY_FIELD_NUMBER: _ClassVar[int]
    TARGET_CPA_MICROS_FIELD_NUMBER: _ClassVar[int]
    TARGET_ROAS_FIELD_NUMBER: _ClassVar[int]
    CREATIVES_FIELD_NUMBER: _ClassVar[int]
    AVOIDS_FIELD_NUMBER: _ClassVar[int]
    advertiser: str
    categories: _containers.RepeatedScalarFieldContainer[str]
    targeting: _containers.RepeatedCompositeFieldContainer[TargetingRule]
    starts_at_us: int
    ends_at_us: int
    budget_micros: int
    bid_micros: int
    caps: _containers.RepeatedCompositeFieldContainer[FrequencyCap]
    day_parts: _containers.RepeatedCompositeFieldContainer[DayPart]
    time_zone: str
    budget_per_day: bool
    target_cpa_micros: int
    target_roas: float
    creatives: _containers.RepeatedCompositeFieldContainer[Creative]
    avoids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, advertiser: _Optional[str] = ..., categories: _Optional[_Iterable[str]] = ..., targeting: _Optional[_Iterable[_Union[TargetingRule, _Mapping]]] = ..., starts_at_us: _Optional[int] = ..., ends_at_us: _Optional[int] = ..., budget_micros: _Optional[int] = ..., bid_micros: _Optional[int] = ..., caps: _Optional[_Iterable[_Union[FrequencyCap, _Mapping]]] = ..., day_parts: _Optional[_Iterable[_Union[DayPart, _Mapping]]] = ..., time_zone: _Optional[str] = ..., budget_per_day: bool = ..., target_cpa_micros: _Optional[int] = ..., target_roas: _Optional[float] = ..., creatives: _Optional[_Iterable[_Union[Creative, _Mapping]]] = ..., avoids: _Optional[_Iterable[str]] = ...) -> None: ...
