"""The actions of each entity, as items of the catalog.

>>> lamp = Entity("light.desk", "desk lamp", room="office")
>>> dim = Action("HassLightSet", "light.desk", Brightness(percent=20))
>>> item(dim, [lamp], "en").text
'set the desk lamp in the office to 20 percent brightness'
>>> quantised(Action("HassLightSet", "light.desk", Brightness(percent=37))).parameter
Brightness(percent=40)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from google.protobuf.json_format import MessageToJson

from penchant_proto.v1 import home_pb2
from penchant_sdk.home._sentences import canonical
from penchant_sdk.home.parameters import (
    Area,
    Brightness,
    BrightnessStep,
    Colour,
    ColourTemperature,
    ColourTemperatureStep,
    Duration,
    FanSpeed,
    FanSpeedStep,
    Parameter,
    Position,
    PositionStep,
    Temperature,
    TemperatureStep,
    Volume,
    VolumeStep,
    named_value,
)
from penchant_sdk.home.spelling import spelt
from penchant_sdk.home.types import TIMER, Action, Entity
from penchant_sdk.home.when import When
from penchant_sdk.types import Item

ON, OFF = "HassTurnOn", "HassTurnOff"
LIGHT_SET, CLIMATE_SET = "HassLightSet", "HassClimateSetTemperature"
SET_POSITION, SET_VOLUME = "HassSetPosition", "HassSetVolume"
VOLUME_STEP, FAN_SPEED, START_TIMER = "HassSetVolumeRelative", "HassFanSetSpeed", "HassStartTimer"
CLEAN_AREA = "HassVacuumCleanArea"
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
        *map(Colour, ("white", "brown")),
        *map(BrightnessStep, (-40, -20, -10, 10, 20, 40)),
        *map(ColourTemperatureStep, (-500, 500)),
    ),
    CLIMATE_SET: (
        *(Temperature(half / 2) for half in range(30, 57)),
        *map(TemperatureStep, (-3, -1, -0.5, 0.5, 1, 3)),
    ),
    SET_POSITION: (
        *(Position(percent) for percent in _TENS[:-1]),
        *map(PositionStep, (-10, 10)),
    ),
    SET_VOLUME: tuple(Volume(percent) for percent in (0, 5, *_TENS)),
    VOLUME_STEP: tuple(VolumeStep(step) for step in (-20, -10, -5, 5, 10, 20)),
    FAN_SPEED: (*map(FanSpeed, _TENS), *map(FanSpeedStep, (-40, -20, -10, 10, 20, 40))),
    START_TIMER: tuple(Duration(60 * minutes) for minutes in _MINUTES),
}
"""Values that have an item, by intent; events with other values count for the nearest one."""
_MEDIA = ("Next", "Pause", "Previous", "PlayerMute", "PlayerUnmute", "SearchAndPlay", "Unpause")
_OWN: dict[str, tuple[str, ...]] = {
    "light": (LIGHT_SET,),
    "fan": (FAN_SPEED,),
    "climate": (CLIMATE_SET, "HassClimateGetTemperature", "HassClimateSetFanMode"),
    "cover": (SET_POSITION, "HassStopMoving"),
    "valve": (SET_POSITION,),
    "media_player": (SET_VOLUME, VOLUME_STEP, *(f"HassMedia{name}" for name in _MEDIA)),
    "vacuum": ("HassVacuumStart", "HassVacuumPause", "HassVacuumReturnToBase", CLEAN_AREA),
    "lawn_mower": ("HassLawnMowerStartMowing", "HassLawnMowerDock"),
    "todo": ("HassListAddItem", "HassListCompleteItem", "HassListRemoveItem"),
    "timer": (
        START_TIMER,
        *(f"Hass{verb}Timer" for verb in ("Cancel", "Pause", "Unpause", "Increase", "Decrease")),
        "HassCancelAllTimers",
        "HassTimerStatus",
    ),
}
GROUPED = ("light", "cover")
"""Domains whose devices in one room have items for all of them together."""
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


def groups_of(entities: Sequence[Entity]) -> list[tuple[Entity, ...]]:
    """Sets of entities with items of their own: two or more lights, or covers, of a room or home.

    >>> lamps = [Entity(f"light.{name}", name, room="hall") for name in ("left", "right")]
    >>> [[entity.id for entity in group] for group in groups_of(lamps)]
    [['light.left', 'light.right']]
    """
    found: dict[tuple[str, ...], tuple[Entity, ...]] = {}
    for domain in GROUPED:
        own = [one for one in entities if one.domain == domain]
        for room in dict.fromkeys(["", *(one.room for one in own)]):
            group = tuple(one for one in own if not room or one.room == room)
            if len(group) > 1:
                found.setdefault(tuple(one.id for one in group), group)
    return list(found.values())


def quantised(action: Action) -> Action:
    """The action at once, with its value rounded to the nearest one that has an item.

    A colour is left as it is; the room that a vacuum cleans is left out.
    """
    wanted = action.parameter
    action = dataclasses.replace(action, when=When())
    if isinstance(wanted, Area):
        return dataclasses.replace(action, parameter=None)
    like = [step for step in STEPS.get(action.intent, ()) if type(step) is type(wanted)]
    if wanted is None or isinstance(wanted, Colour) or not like:
        return action
    value = _number(wanted)
    nearest = min(like, key=lambda step: abs(_number(step) - value))
    return dataclasses.replace(action, parameter=nearest)


def item(action: Action, entities: Sequence[Entity], language: str) -> Item:
    """The item of an action: its canonical sentence, with entity and action as proto3 JSON."""
    attributes = {"action": _json(action_message(action))}
    if entities:
        attributes["entity"] = _json(entity_message(entities[0]))
    return Item(action.id, spelt(canonical(action, entities, language)), attributes)


def items_of(entities: Sequence[Entity], language: str) -> list[Item]:
    """Items of a home: all actions of its entities, groups and timers, and the plain intents."""
    listed = [
        item(action, [entity], language)
        for entity in (*entities, TIMER)
        for action in actions_of(entity)
    ]
    for group in groups_of(entities):
        ids = tuple(entity.id for entity in group)
        listed += [
            item(dataclasses.replace(action, entities=ids), group, language)
            for action in actions_of(group[0])
            if action.intent != "HassGetState"
        ]
    return listed + [item(Action(intent, ""), [], language) for intent in PLAIN]


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
    several = action.entities if len(action.entities) > 1 else ()
    message = home_pb2.Action(intent=action.intent, entity=action.entity, entities=several)
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
    "brighter": "brightness_step_percent",
    "colder": "colour_temperature_step_kelvin",
    "warmer": "temperature_step_celsius",
    "wider": "position_step_percent",
    "faster": "fan_speed_step_percent",
    "room": "room",
}


def _number(parameter: Parameter) -> float:
    value = named_value(parameter)[1]
    return value if not isinstance(value, str) else 0.0


def _json(message: home_pb2.Entity | home_pb2.Action) -> str:
    return MessageToJson(message, indent=None, ensure_ascii=False)
