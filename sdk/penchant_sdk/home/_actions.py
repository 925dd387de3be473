"""The actions of each entity, as items of the catalog.

>>> lamp = Entity("light.desk", "desk lamp", room="office")
>>> dim = Action("HassLightSet", "light.desk", Brightness(percent=20))
>>> item(dim, lamp, "en").text
'set the desk lamp in the office to 20 percent brightness'
>>> quantised(Action("HassLightSet", "light.desk", Brightness(percent=37))).parameter
Brightness(percent=40)
"""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.json_format import MessageToJson

from penchant_proto.v1 import home_pb2
from penchant_sdk.home._sentences import canonical
from penchant_sdk.home.parameters import (
    Brightness,
    Colour,
    ColourTemperature,
    Duration,
    FanSpeed,
    Parameter,
    Position,
    Temperature,
    Volume,
    VolumeStep,
    named_value,
)
from penchant_sdk.home.spelling import spelt
from penchant_sdk.home.types import TIMER, Action, Entity
from penchant_sdk.types import Item

ON, OFF = "HassTurnOn", "HassTurnOff"
LIGHT_SET, CLIMATE_SET = "HassLightSet", "HassClimateSetTemperature"
SET_POSITION, SET_VOLUME = "HassSetPosition", "HassSetVolume"
VOLUME_STEP, FAN_SPEED, START_TIMER = "HassSetVolumeRelative", "HassFanSetSpeed", "HassStartTimer"
PLAIN = (
    "HassGetCurrentDate",
    "HassGetCurrentTime",
    "HassGetWeather",
    "HassNevermind",
    "HassRespond",
    "HassBroadcast",
    "HassShoppingListAddItem",
    "HassShoppingListCompleteItem",
)
"""Intents without an entity."""
_TENS = tuple(range(10, 101, 10))
_MINUTES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 45, 60, 90, 120)
STEPS: dict[str, tuple[Parameter, ...]] = {
    LIGHT_SET: (
        *(Brightness(percent) for percent in (1, 5, *_TENS)),
        *(ColourTemperature(kelvin) for kelvin in (1900, 2700, 3500, 4000, 5000, 6500)),
        *map(Colour, ("red", "orange", "yellow", "green", "blue", "purple", "pink", "turquoise")),
    ),
    CLIMATE_SET: tuple(Temperature(half / 2) for half in range(30, 57)),
    SET_POSITION: tuple(Position(percent) for percent in _TENS[:-1]),
    SET_VOLUME: tuple(Volume(percent) for percent in (0, 5, *_TENS)),
    VOLUME_STEP: tuple(VolumeStep(step) for step in (-20, -10, -5, 5, 10, 20)),
    FAN_SPEED: tuple(FanSpeed(percent) for percent in _TENS),
    START_TIMER: tuple(Duration(60 * minutes) for minutes in _MINUTES),
}
"""Values that have an item, by intent; events with other values count for the nearest one."""
_MEDIA = ("Next", "Pause", "Previous", "PlayerMute", "PlayerUnmute", "SearchAndPlay", "Unpause")
_OWN: dict[str, tuple[str, ...]] = {
    "light": (LIGHT_SET,),
    "fan": (FAN_SPEED,),
    "climate": (CLIMATE_SET, "HassClimateGetTemperature", "HassClimateSetFanMode"),
    "cover": (SET_POSITION,),
    "valve": (SET_POSITION,),
    "media_player": (SET_VOLUME, VOLUME_STEP, *(f"HassMedia{name}" for name in _MEDIA)),
    "vacuum": ("HassVacuumStart", "HassVacuumReturnToBase", "HassVacuumCleanArea"),
    "lawn_mower": ("HassLawnMowerStartMowing", "HassLawnMowerDock"),
    "todo": ("HassListAddItem", "HassListCompleteItem", "HassListRemoveItem"),
    "timer": (
        START_TIMER,
        *(f"Hass{verb}Timer" for verb in ("Cancel", "Pause", "Unpause", "Increase", "Decrease")),
        "HassCancelAllTimers",
        "HassTimerStatus",
    ),
}
_NEVER_SWITCHED = ("timer", "todo", "sensor", "binary_sensor", "person", "weather")


def intents_of(entity: Entity) -> tuple[str, ...]:
    """Intents that an entity supports."""
    switched = () if entity.domain in _NEVER_SWITCHED else (ON, OFF)
    return (*switched, *_OWN.get(entity.domain, ()), "HassGetState")


def actions_of(entity: Entity) -> list[Action]:
    """All actions of an entity, one for each value; a few dozen for a light."""
    return [
        Action(intent, entity.id, parameter)
        for intent in intents_of(entity)
        for parameter in STEPS.get(intent, (None,))
    ]


def quantised(action: Action) -> Action:
    """The action with its value rounded to the nearest one that has an item, except for colours."""
    wanted = action.parameter
    like = [step for step in STEPS.get(action.intent, ()) if type(step) is type(wanted)]
    if wanted is None or isinstance(wanted, Colour) or not like:
        return action
    value = _number(wanted)
    nearest = min(like, key=lambda step: abs(_number(step) - value))
    return Action(action.intent, action.entity, nearest)


def item(action: Action, entity: Entity | None, language: str) -> Item:
    """The item of an action: its canonical sentence, with entity and action as proto3 JSON."""
    attributes = {"action": _json(action_message(action))}
    if entity is not None:
        attributes["entity"] = _json(entity_message(entity))
    return Item(action.id, spelt(canonical(action, entity, language)), attributes)


def items_of(entities: Iterable[Entity], language: str) -> list[Item]:
    """Items of a home: all actions of its entities and of timers, and the plain intents."""
    listed = [
        item(action, entity, language)
        for entity in (*entities, TIMER)
        for action in actions_of(entity)
    ]
    return listed + [item(Action(intent, ""), None, language) for intent in PLAIN]


def entity_message(entity: Entity) -> home_pb2.Entity:
    """Converts an entity to its message."""
    return home_pb2.Entity(
        id=entity.id,
        name=entity.name,
        aliases=entity.aliases,
        room=entity.room,
        floor=entity.floor,
        device_class=entity.device_class,
    )


def action_message(action: Action) -> home_pb2.Action:
    """Converts an action to its message."""
    message = home_pb2.Action(intent=action.intent, entity=action.entity)
    if action.parameter is not None:
        name, value = named_value(action.parameter)
        setattr(message, _FIELDS[name], value)
    return message


_FIELDS = {
    "brightness": "brightness_percent",
    "kelvin": "colour_temperature_kelvin",
    "colour": "colour",
    "celsius": "temperature_celsius",
    "position": "position_percent",
    "volume": "volume_percent",
    "louder": "volume_step_percent",
    "speed": "fan_speed_percent",
    "seconds": "duration_s",
}


def _number(parameter: Parameter) -> float:
    value = named_value(parameter)[1]
    return value if not isinstance(value, str) else 0.0


def _json(message: home_pb2.Entity | home_pb2.Action) -> str:
    return MessageToJson(message, indent=None, ensure_ascii=False)
