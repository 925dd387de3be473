"""Turns steps into values where the hub says how things are, and clock times into the next ones.

>>> lamp = Action("HassLightSet", "light.bed", BrightnessStep(20))
>>> absolute(lamp, {"light.bed": DeviceState(brightness=30)}).parameter
Brightness(percent=50)
>>> absolute(lamp, {}).parameter
BrightnessStep(percent=20)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import datetime, time

from penchant_sdk.home._actions import VOLUME_STEP
from penchant_sdk.home.parameters import (
    Brightness,
    BrightnessStep,
    ColourTemperature,
    ColourTemperatureStep,
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
from penchant_sdk.home.types import Action, DeviceState
from penchant_sdk.home.when import When

_VALUES: dict[type, tuple[str, float, float, Callable[[float], Parameter]]] = {
    BrightnessStep: ("brightness", 1, 100, lambda value: Brightness(round(value))),
    ColourTemperatureStep: ("kelvin", 2000, 6500, lambda value: ColourTemperature(round(value))),
    TemperatureStep: ("celsius", 5, 35, lambda value: Temperature(round(2 * value) / 2)),
    PositionStep: ("position", 0, 100, lambda value: Position(round(value))),
    FanSpeedStep: ("speed", 1, 100, lambda value: FanSpeed(round(value))),
    VolumeStep: ("volume", 0, 100, lambda value: Volume(round(value))),
}


def absolute(action: Action, states: Mapping[str, DeviceState]) -> Action:
    """The action with its step added to the current value, if that is the same for its entities."""
    step = action.parameter
    if step is None or type(step) not in _VALUES:
        return action
    name, least, most, made = _VALUES[type(step)]
    known = {getattr(states.get(id), name, None) for id in action.entities}
    now = known.pop() if len(known) == 1 else None
    if now is None:
        return action
    value = min(max(float(now) + float(named_value(step)[1]), least), most)
    intent = "HassSetVolume" if action.intent == VOLUME_STEP else action.intent
    return dataclasses.replace(action, intent=intent, parameter=made(value))


def next_time(when: When, now: datetime) -> When:
    """The time with its hour decided: half past three is the next one, by day or by night."""
    if when.at is None or not when.twice:
        return when
    early = time(when.at.hour % 12, when.at.minute)
    late = time(early.hour + 12, early.minute)
    coming = [one for one in (early, late) if one > now.time()]
    at = early if when.in_days or when.daily else (coming or [early])[0]
    return dataclasses.replace(when, at=at, twice=False)
