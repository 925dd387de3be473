"""Interprets sentences about a smart home, safely, and learns the habits of its users.

Needs the extra `home`: `pip install 'penchant[home]'`. docs/clients/home.md explains how it works,
docs/measurements/home.md reports its accuracy.
"""

from __future__ import annotations

try:
    from penchant_sdk.home._nearest import Voting
    from penchant_sdk.home.aio import AsyncHomeClient
    from penchant_sdk.home.client import HomeClient
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
    )
    from penchant_sdk.home.types import (
        Action,
        Asked,
        DeviceState,
        Entity,
        Interpretation,
        Suggestion,
        Understood,
    )
    from penchant_sdk.home.when import When
    from penchant_sdk.signal_names import HomeSignal
except ModuleNotFoundError as error:
    package = str(error.name).partition(".")[0]
    raise ModuleNotFoundError(
        f"penchant_sdk.home needs the package {package}: pip install 'penchant[home]'",
        name=error.name,
    ) from error

__all__ = [
    "Action",
    "Area",
    "Asked",
    "AsyncHomeClient",
    "Brightness",
    "BrightnessStep",
    "Colour",
    "ColourTemperature",
    "ColourTemperatureStep",
    "DeviceState",
    "Duration",
    "Entity",
    "FanSpeed",
    "FanSpeedStep",
    "HomeClient",
    "HomeSignal",
    "Interpretation",
    "Parameter",
    "Position",
    "PositionStep",
    "Suggestion",
    "Temperature",
    "TemperatureStep",
    "Understood",
    "Volume",
    "VolumeStep",
    "Voting",
    "When",
]
