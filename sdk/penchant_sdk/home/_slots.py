"""Extracts an action's value from the slots of a template.

>>> parameter_of("HassLightSet", {"brightness": 20.0})
(Brightness(percent=20), False)
>>> parameter_of("HassClimateSetTemperature", {"temperature": 90})
(None, True)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from penchant_sdk.errors import InvalidRequest
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
)

Found = tuple[Parameter | None, bool]
"""A value, and whether the text names an impossible one."""
_TIMES = (("hours", 3600), ("minutes", 60), ("seconds", 1))
_TIMED = ("HassStartTimer", "HassIncreaseTimer", "HassDecreaseTimer")


def parameter_of(intent: str, slots: Mapping[str, Any]) -> Found:
    """The value in a template's slots, in the unit of the intent."""
    number = _NUMBER_SLOTS.get(intent)
    if intent in _TIMED:
        total = sum(float(slots.get(name, 0)) * unit for name, unit in _TIMES)
        return _made(lambda: Duration(round(total))) if total else (None, False)
    if intent == "HassLightSet":
        if "color" in slots:
            return Colour(str(slots["color"])), False
        if "temperature" in slots:
            return _made(lambda: ColourTemperature(round(float(slots["temperature"]))))
    if number is None or number[0] not in slots:
        return None, False
    value = slots[number[0]]
    if isinstance(value, str):  # "up" or "down" is not a value.
        return None, False
    return _made(lambda: number[1](float(value)))


def _made(make: Callable[[], Parameter]) -> Found:
    try:
        return make(), False
    except InvalidRequest:
        return None, True


_NUMBER_SLOTS: dict[str, tuple[str, Callable[[float], Parameter]]] = {
    "HassLightSet": ("brightness", lambda value: Brightness(round(value))),
    "HassClimateSetTemperature": ("temperature", lambda value: Temperature(round(2 * value) / 2)),
    "HassSetPosition": ("position", lambda value: Position(round(value))),
    "HassSetVolume": ("volume_level", lambda value: Volume(round(value))),
    "HassSetVolumeRelative": ("volume_step", lambda value: VolumeStep(round(value))),
    "HassFanSetSpeed": ("percentage", lambda value: FanSpeed(round(value))),
}
