"""Extracts an action's value from the slots of a template, or from free text.

>>> parameter_of("HassLightSet", {"brightness": 20.0})
(Brightness(percent=20), False)
>>> parameter_of("HassClimateSetTemperature", {"temperature": 90})
(None, True)
>>> from_text("HassLightSet", "make it warm white", "en")[0]
ColourTemperature(kelvin=2700)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from penchant_sdk.errors import InvalidRequest
from penchant_sdk.home._numbers import numbers, seconds
from penchant_sdk.home._words import WORDS
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
_FRESH_KELVIN = 1000
"""A number without a unit is kelvin from this value on, and percent below it."""


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


def from_text(intent: str, text: str, language: str) -> Found:
    """The value in a free text, in the unit of the intent."""
    folded, words = text.casefold(), WORDS[language]
    if intent in _TIMED:
        named = seconds(folded, language)
        return _made(lambda: Duration(named)) if named else (None, False)
    if intent not in _NUMBER_SLOTS:
        return None, False
    found = numbers(folded, language)
    if intent == "HassLightSet":
        white, colour = words.value(folded, words.kelvin), words.colour(folded)
        if found and found[-1] >= _FRESH_KELVIN:
            return _made(lambda: ColourTemperature(round(found[-1])))
        if not found and colour and not white:
            return Colour(colour), False
        if not found and white:
            return ColourTemperature(white), False
    level = words.value(folded, words.percent)
    if not found and level is not None and intent != "HassClimateSetTemperature":
        found = [float(level)]
    if not found:
        return None, False
    signed = -found[-1] if words.change(folded) == "down" else found[-1]
    make = _NUMBER_SLOTS[intent][1]
    return _made(lambda: make(signed if intent == "HassSetVolumeRelative" else found[-1]))


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
