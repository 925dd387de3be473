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
    from penchant_sdk.home.types import (
        Action,
        Asked,
        Entity,
        Interpretation,
        Suggestion,
        Understood,
    )
    from penchant_sdk.signal_names import HomeSignal
except ModuleNotFoundError as error:
    package = str(error.name).partition(".")[0]
    raise ModuleNotFoundError(
        f"penchant_sdk.home needs the package {package}: pip install 'penchant[home]'",
        name=error.name,
    ) from error

__all__ = [
    "Action",
    "Asked",
    "AsyncHomeClient",
    "Brightness",
    "Colour",
    "ColourTemperature",
    "Duration",
    "Entity",
    "FanSpeed",
    "HomeClient",
    "HomeSignal",
    "Interpretation",
    "Parameter",
    "Position",
    "Suggestion",
    "Temperature",
    "Understood",
    "Volume",
    "VolumeStep",
    "Voting",
]
