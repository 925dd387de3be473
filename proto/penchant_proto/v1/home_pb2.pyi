from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Entity(_message.Message):
    __slots__ = ("id", "name", "aliases", "room", "floor", "device_class")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    ROOM_FIELD_NUMBER: _ClassVar[int]
    FLOOR_FIELD_NUMBER: _ClassVar[int]
    DEVICE_CLASS_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    aliases: _containers.RepeatedScalarFieldContainer[str]
    room: str
    floor: str
    device_class: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., aliases: _Optional[_Iterable[str]] = ..., room: _Optional[str] = ..., floor: _Optional[str] = ..., device_class: _Optional[str] = ...) -> None: ...

class Action(_message.Message):
    __slots__ = ("intent", "entity", "brightness_percent", "colour_temperature_kelvin", "colour", "temperature_celsius", "position_percent", "volume_percent", "fan_speed_percent", "duration_s", "volume_step_percent", "brightness_step_percent", "colour_temperature_step_kelvin", "temperature_step_celsius", "position_step_percent", "fan_speed_step_percent", "room", "entities")
    INTENT_FIELD_NUMBER: _ClassVar[int]
    ENTITY_FIELD_NUMBER: _ClassVar[int]
    BRIGHTNESS_PERCENT_FIELD_NUMBER: _ClassVar[int]
    COLOUR_TEMPERATURE_KELVIN_FIELD_NUMBER: _ClassVar[int]
    COLOUR_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_CELSIUS_FIELD_NUMBER: _ClassVar[int]
    POSITION_PERCENT_FIELD_NUMBER: _ClassVar[int]
    VOLUME_PERCENT_FIELD_NUMBER: _ClassVar[int]
    FAN_SPEED_PERCENT_FIELD_NUMBER: _ClassVar[int]
    DURATION_S_FIELD_NUMBER: _ClassVar[int]
    VOLUME_STEP_PERCENT_FIELD_NUMBER: _ClassVar[int]
    BRIGHTNESS_STEP_PERCENT_FIELD_NUMBER: _ClassVar[int]
    COLOUR_TEMPERATURE_STEP_KELVIN_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_STEP_CELSIUS_FIELD_NUMBER: _ClassVar[int]
    POSITION_STEP_PERCENT_FIELD_NUMBER: _ClassVar[int]
    FAN_SPEED_STEP_PERCENT_FIELD_NUMBER: _ClassVar[int]
    ROOM_FIELD_NUMBER: _ClassVar[int]
    ENTITIES_FIELD_NUMBER: _ClassVar[int]
    intent: str
    entity: str
    brightness_percent: int
    colour_temperature_kelvin: int
    colour: str
    temperature_celsius: float
    position_percent: int
    volume_percent: int
    fan_speed_percent: int
    duration_s: int
    volume_step_percent: int
    brightness_step_percent: int
    colour_temperature_step_kelvin: int
    temperature_step_celsius: float
    position_step_percent: int
    fan_speed_step_percent: int
    room: str
    entities: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, intent: _Optional[str] = ..., entity: _Optional[str] = ..., brightness_percent: _Optional[int] = ..., colour_temperature_kelvin: _Optional[int] = ..., colour: _Optional[str] = ..., temperature_celsius: _Optional[float] = ..., position_percent: _Optional[int] = ..., volume_percent: _Optional[int] = ..., fan_speed_percent: _Optional[int] = ..., duration_s: _Optional[int] = ..., volume_step_percent: _Optional[int] = ..., brightness_step_percent: _Optional[int] = ..., colour_temperature_step_kelvin: _Optional[int] = ..., temperature_step_celsius: _Optional[float] = ..., position_step_percent: _Optional[int] = ..., fan_speed_step_percent: _Optional[int] = ..., room: _Optional[str] = ..., entities: _Optional[_Iterable[str]] = ...) -> None: ...
