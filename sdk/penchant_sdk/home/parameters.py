"""Values that an action sets, each in its own unit.

>>> named_value(Brightness(percent=20))
('brightness', 20)
>>> Temperature(celsius=21.3)
Traceback (most recent call last):
...
penchant_sdk.errors.InvalidRequest: celsius: got 21.3, expected a multiple of 0.5 from 5 to 35
"""

from __future__ import annotations

from dataclasses import dataclass

from penchant_sdk.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Brightness:
    """Brightness of a light."""

    percent: int
    """Brightness in percent, 0 to 100."""

    def __post_init__(self) -> None:
        _within("percent", self.percent, 0, 100)


@dataclass(frozen=True, slots=True)
class ColourTemperature:
    """Colour temperature of a white light; lower is warmer."""

    kelvin: int
    """Temperature in kelvin, 1,000 to 10,000."""

    def __post_init__(self) -> None:
        _within("kelvin", self.kelvin, 1000, 10_000)


@dataclass(frozen=True, slots=True)
class Colour:
    """Colour of a light."""

    name: str
    """English name of the colour, for example red."""


@dataclass(frozen=True, slots=True)
class Temperature:
    """Target temperature of a thermostat."""

    celsius: float
    """Temperature in degrees Celsius, 5 to 35, a multiple of 0.5."""

    def __post_init__(self) -> None:
        if not (5 <= self.celsius <= 35 and float(2 * self.celsius).is_integer()):
            raise InvalidRequest(
                f"celsius: got {self.celsius}, expected a multiple of 0.5 from 5 to 35"
            )


@dataclass(frozen=True, slots=True)
class Position:
    """Position of a cover."""

    percent: int
    """Opening in percent, 0 (closed) to 100 (open)."""

    def __post_init__(self) -> None:
        _within("percent", self.percent, 0, 100)


@dataclass(frozen=True, slots=True)
class Volume:
    """Volume of a media player."""

    percent: int
    """Volume in percent, 0 to 100."""

    def __post_init__(self) -> None:
        _within("percent", self.percent, 0, 100)


@dataclass(frozen=True, slots=True)
class VolumeStep:
    """Change of a media player's volume."""

    percent: int
    """Change in percentage points, -100 to 100; negative is quieter."""

    def __post_init__(self) -> None:
        _within("percent", self.percent, -100, 100)


@dataclass(frozen=True, slots=True)
class FanSpeed:
    """Speed of a fan."""

    percent: int
    """Speed in percent, 0 to 100."""

    def __post_init__(self) -> None:
        _within("percent", self.percent, 0, 100)


@dataclass(frozen=True, slots=True)
class Duration:
    """Duration of a timer."""

    seconds: int
    """Duration in seconds, 1 to 360,000 (100 hours)."""

    def __post_init__(self) -> None:
        _within("seconds", self.seconds, 1, 360_000)


@dataclass(frozen=True, slots=True)
class BrightnessStep:
    """Change of a light's brightness."""

    percent: int
    """Change in percentage points, -100 to 100; negative is dimmer."""

    def __post_init__(self) -> None:
        _within("percent", self.percent, -100, 100)


@dataclass(frozen=True, slots=True)
class ColourTemperatureStep:
    """Change of a white light's colour temperature."""

    kelvin: int
    """Change in kelvin, -9,000 to 9,000; negative is warmer."""

    def __post_init__(self) -> None:
        _within("kelvin", self.kelvin, -9000, 9000)


@dataclass(frozen=True, slots=True)
class TemperatureStep:
    """Change of a thermostat's target temperature."""

    celsius: float
    """Change in degrees Celsius, -30 to 30, a multiple of 0.5; negative is cooler."""

    def __post_init__(self) -> None:
        if not (-30 <= self.celsius <= 30 and float(2 * self.celsius).is_integer()):
            raise InvalidRequest(
                f"celsius: got {self.celsius}, expected a multiple of 0.5 from -30 to 30"
            )


@dataclass(frozen=True, slots=True)
class PositionStep:
    """Change of a cover's position."""

    percent: int
    """Change in percentage points, -100 to 100; negative closes."""

    def __post_init__(self) -> None:
        _within("percent", self.percent, -100, 100)


@dataclass(frozen=True, slots=True)
class FanSpeedStep:
    """Change of a fan's speed."""

    percent: int
    """Change in percentage points, -100 to 100; negative is slower."""

    def __post_init__(self) -> None:
        _within("percent", self.percent, -100, 100)


@dataclass(frozen=True, slots=True)
class Area:
    """Room that a vacuum cleans."""

    room: str
    """Name of the room, as the home's entities have it."""


Parameter = (
    Brightness
    | BrightnessStep
    | ColourTemperature
    | ColourTemperatureStep
    | Colour
    | Temperature
    | TemperatureStep
    | Position
    | PositionStep
    | Volume
    | VolumeStep
    | FanSpeed
    | FanSpeedStep
    | Duration
    | Area
)
"""A value that an action sets, or by which it changes one."""


def named_value(parameter: Parameter) -> tuple[str, float | str]:
    """The quantity that a parameter sets, in one word, and its value in the parameter's unit."""
    match parameter:
        case Brightness(percent=percent):
            return "brightness", percent
        case ColourTemperature(kelvin=kelvin):
            return "kelvin", kelvin
        case Colour(name=name):
            return "colour", name
        case Temperature(celsius=celsius):
            return "celsius", celsius
        case Position(percent=percent):
            return "position", percent
        case Volume(percent=percent):
            return "volume", percent
        case VolumeStep(percent=percent):
            return "louder", percent
        case FanSpeed(percent=percent):
            return "speed", percent
        case Duration(seconds=seconds):
            return "seconds", seconds
        case BrightnessStep(percent=percent):
            return "brighter", percent
        case ColourTemperatureStep(kelvin=kelvin):
            return "colder", kelvin
        case TemperatureStep(celsius=celsius):
            return "warmer", celsius
        case PositionStep(percent=percent):
            return "wider", percent
        case FanSpeedStep(percent=percent):
            return "faster", percent
        case Area(room=room):
            return "room", room


def _within(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InvalidRequest(f"{name}: got {value}, expected {least} to {most}")
