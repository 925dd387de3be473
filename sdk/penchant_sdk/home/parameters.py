"""What an action sets, each in its own unit.

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
    """How bright a light is."""

    percent: int
    """0 to 100."""

    def __post_init__(self) -> None:
        _within("percent", self.percent, 0, 100)


@dataclass(frozen=True, slots=True)
class ColourTemperature:
    """How warm a white light is; less is warmer."""

    kelvin: int
    """1,000 to 10,000."""

    def __post_init__(self) -> None:
        _within("kelvin", self.kelvin, 1000, 10_000)


@dataclass(frozen=True, slots=True)
class Colour:
    """A light's colour."""

    name: str
    """Its English name, for example red."""


@dataclass(frozen=True, slots=True)
class Temperature:
    """What a thermostat is set to."""

    celsius: float
    """5 to 35, in halves."""

    def __post_init__(self) -> None:
        if not (5 <= self.celsius <= 35 and float(2 * self.celsius).is_integer()):
            raise InvalidRequest(
                f"celsius: got {self.celsius}, expected a multiple of 0.5 from 5 to 35"
            )


@dataclass(frozen=True, slots=True)
class Position:
    """How far a cover is open."""

    percent: int
    """0 (closed) to 100."""

    def __post_init__(self) -> None:
        _within("percent", self.percent, 0, 100)


@dataclass(frozen=True, slots=True)
class Volume:
    """How loud a media player is."""

    percent: int
    """0 to 100."""

    def __post_init__(self) -> None:
        _within("percent", self.percent, 0, 100)


@dataclass(frozen=True, slots=True)
class VolumeStep:
    """How much louder a media player gets."""

    percent: int
    """-100 to 100; negative: less loud."""

    def __post_init__(self) -> None:
        _within("percent", self.percent, -100, 100)


@dataclass(frozen=True, slots=True)
class FanSpeed:
    """How fast a fan turns."""

    percent: int
    """0 to 100."""

    def __post_init__(self) -> None:
        _within("percent", self.percent, 0, 100)


@dataclass(frozen=True, slots=True)
class Duration:
    """How long a timer runs."""

    seconds: int
    """1 to 360,000 (100 hours)."""

    def __post_init__(self) -> None:
        _within("seconds", self.seconds, 1, 360_000)


Parameter = (
    Brightness
    | ColourTemperature
    | Colour
    | Temperature
    | Position
    | Volume
    | VolumeStep
    | FanSpeed
    | Duration
)
"""What an action sets, in its own unit."""


def named_value(parameter: Parameter) -> tuple[str, float | str]:
    """What a parameter sets, in one word, and its value in its own unit."""
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


def _within(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InvalidRequest(f"{name}: got {value}, expected {least} to {most}")
