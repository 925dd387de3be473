"""The value of a clause as a typed parameter: absolute, or a signed step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from penchant_sdk.errors import InvalidRequest
from penchant_sdk.home.parameters import (
    Brightness,
    BrightnessStep,
    Colour,
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
)
from penchant_sdk.home.reading.clauses import Clause
from penchant_sdk.home.reading.verbs import Wish

FRESH_KELVIN = 1000
"""A number without a unit is kelvin from this value on, and percent below it."""
_LEVELS = {"max": 100, "min": 1, "half": 50, "low": 25, "medium": 50, "high": 100}
_FAN_LEVELS = {**_LEVELS, "low": 33, "min": 10}
_STEPS: dict[str, tuple[float, float, float]] = {
    "brightness": (10, 20, 40),
    "volume": (5, 10, 20),
    "speed": (10, 20, 40),
    "position": (10, 20, 40),
    "temperature": (0.5, 1, 3),
    "kelvin": (300, 500, 1500),
}
"""Steps for a bit, for neither, and for a lot."""


@dataclass(frozen=True, slots=True)
class SaidValue:
    """The value of a command."""

    parameter: Parameter | None = None
    impossible: bool = False
    """True if the clause says a value that cannot be."""
    doubtful: bool = False
    """True if the clause may mean another value."""


def said_value(clause: Clause, verb: Wish) -> SaidValue:
    """The value that a clause gives to its verb; none if it says none."""
    match verb.intent:
        case "HassLightSet":
            return _light(clause, verb)
        case "HassClimateSetTemperature":
            return _climate(clause, verb)
        case "HassSetVolume" | "HassSetVolumeRelative":
            return _percent(clause, verb, Volume, VolumeStep)
        case "HassFanSetSpeed":
            return _percent(clause, verb, FanSpeed, FanSpeedStep, _FAN_LEVELS)
        case "HassSetPosition":
            return _percent(clause, verb, Position, PositionStep)
    return SaidValue()


def _light(clause: Clause, verb: Wish) -> SaidValue:
    for number, unit in clause.numbers:
        if (
            unit == "kelvin"
            or (not unit and number >= FRESH_KELVIN)
            or (not unit and "kelvin" in clause.quantities)
        ):
            return _made(partial(ColourTemperature, round(number)))
    if clause.numbers and clause.numbers[-1][1] in ("degrees", "fahrenheit"):
        return SaidValue(impossible=True)
    if clause.numbers or (clause.levels and not clause.colours and not clause.kelvins):
        if verb.quantity == "kelvin" and not clause.numbers:
            kelvin = 2200 if (verb.change > 0) == ("max" in clause.levels) else 6500
            return SaidValue(ColourTemperature(kelvin))
        value = _percent(clause, verb, Brightness, BrightnessStep)
        mixed = bool(clause.colours or clause.kelvins)
        return SaidValue(value.parameter, value.impossible, value.doubtful or mixed)
    if clause.kelvins:
        return SaidValue(ColourTemperature(clause.kelvins[-1]), doubtful=len(clause.kelvins) > 1)
    if clause.colours:
        return SaidValue(Colour(clause.colours[-1]), doubtful=len(clause.colours) > 1)
    if clause.any_colour:
        return SaidValue(impossible=True)
    step = _step(clause, verb)
    if verb.quantity == "kelvin":
        return _made(lambda: ColourTemperatureStep(-round(step)))
    return _made(lambda: BrightnessStep(round(step)))


def _climate(clause: Clause, verb: Wish) -> SaidValue:
    if clause.numbers:
        number, unit = clause.numbers[-1]
        if unit in ("%", "kelvin"):
            return SaidValue(impossible=True)
        if _relative(clause, verb):
            degrees = number * 5 / 9 if unit == "fahrenheit" else number
            if not verb.change:
                return SaidValue(impossible=True)
            return _made(lambda: TemperatureStep(verb.change * _half(abs(degrees))))
        celsius = (number - 32) * 5 / 9 if unit == "fahrenheit" else number
        return _made(lambda: Temperature(_half(celsius)))
    return _made(lambda: TemperatureStep(_step(clause, verb)))


def _percent(
    clause: Clause,
    verb: Wish,
    value: Callable[[int], Parameter],
    step: Callable[[int], Parameter],
    levels: dict[str, int] = _LEVELS,
) -> SaidValue:
    if clause.numbers:
        number, unit = clause.numbers[-1]
        if unit not in ("", "%", "steps"):
            return SaidValue(impossible=True)
        scale = 10 if unit == "steps" else 1
        if _relative(clause, verb) or unit == "steps":
            if not verb.change:
                return SaidValue(impossible=True)
            return _made(lambda: step(verb.change * round(abs(number) * scale)))
        return _made(lambda: value(round(number)))
    if clause.levels:
        level = clause.levels[-1]
        if verb.change and level in ("low", "medium", "high") and not clause.toward:
            return _made(lambda: step(round(_step(clause, verb))))
        if verb.change < 0 and level == "max":  # "All the way down."
            level = "min"
        if level == "half" and clause.by and verb.change:
            return _made(lambda: step(verb.change * 50))
        return _made(lambda: value(levels[level]))
    return _made(lambda: step(round(_step(clause, verb))))


def _relative(clause: Clause, verb: Wish) -> bool:
    """Whether a number is a step: 10 percent brighter, by 5 degrees; not up to 80."""
    return clause.by or bool(verb.change and not clause.toward)


def _step(clause: Clause, verb: Wish) -> float:
    small, usual, large = _STEPS[verb.quantity or "brightness"]
    size = small if "small" in clause.amounts else large if "large" in clause.amounts else usual
    return verb.change * size


def _half(value: float) -> float:
    return round(2 * value) / 2


def _made(make: Callable[[], Parameter]) -> SaidValue:
    try:
        return SaidValue(make())
    except InvalidRequest:
        return SaidValue(impossible=True)


def percent_of(parameter: Parameter | None) -> float:
    """The percentage that a parameter sets; -1 if it sets none."""
    return getattr(parameter, "percent", -1)
