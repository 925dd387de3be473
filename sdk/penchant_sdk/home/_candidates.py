"""The actions that a frame may mean, including the values from which a habit may choose."""

from __future__ import annotations

from collections.abc import Sequence

from penchant_sdk.home._actions import (
    CLIMATE_SET,
    FAN_SPEED,
    LIGHT_SET,
    ON,
    SET_POSITION,
    SET_VOLUME,
    STEPS,
    VOLUME_STEP,
)
from penchant_sdk.home._frames import Frame
from penchant_sdk.home.parameters import (
    Brightness,
    FanSpeed,
    Parameter,
    Position,
    Temperature,
    Volume,
    VolumeStep,
)
from penchant_sdk.home.types import Action, Entity

_DEFAULTS: dict[str, dict[str, Parameter]] = {
    LIGHT_SET: {"": Brightness(50), "up": Brightness(100), "down": Brightness(30)},
    CLIMATE_SET: {"": Temperature(21), "up": Temperature(22), "down": Temperature(20)},
    SET_POSITION: {"": Position(50), "up": Position(80), "down": Position(20)},
    SET_VOLUME: {"": Volume(30), "up": Volume(50), "down": Volume(20)},
    FAN_SPEED: {"": FanSpeed(50), "up": FanSpeed(80), "down": FanSpeed(30)},
    VOLUME_STEP: {"up": VolumeStep(10), "down": VolumeStep(-10)},
}
"""Default value of a sentence that names none, by intent and change; a habit overrides it."""


def candidates(frame: Frame, found: Sequence[Entity]) -> list[Action]:
    """Actions to choose from; the first is the default without a habit.

    If the sentence names a value, all actions have that value, and a habit chooses only the entity.

    Args:
        frame: the frame of the sentence.
        found: entities that the sentence may mean, the most likely first.
    """
    first, others = [], []
    for entity in found:
        own = _of(frame, entity)
        first += own[:1]
        others += own[1:]
    return list({action.id: action for action in first + others}.values())


def needs_value(action: Action) -> bool:
    """Whether an action needs a value and has none."""
    return action.parameter is None and action.intent in STEPS


def _of(frame: Frame, entity: Entity) -> list[Action]:
    if frame.parameter is not None:
        return [Action(frame.intent, entity.id, frame.parameter)]
    plain = Action(frame.intent, entity.id)
    if frame.valueless:
        return [plain]
    if frame.intent == ON and entity.domain == "light":
        return [plain, *_brightnesses(entity)]
    default = _DEFAULTS.get(frame.intent, {}).get(frame.change)
    begin = plain if default is None else Action(frame.intent, entity.id, default)
    if frame.intent == LIGHT_SET:
        return [begin, *_brightnesses(entity)]
    steps = STEPS.get(frame.intent, ())
    if isinstance(default, VolumeStep):  # "Louder" never means quieter.
        rising = default.percent > 0
        steps = tuple(
            step for step in steps if isinstance(step, VolumeStep) and (step.percent > 0) == rising
        )
    return [begin, *(Action(frame.intent, entity.id, step) for step in steps)]


def _brightnesses(entity: Entity) -> list[Action]:
    return [
        Action(LIGHT_SET, entity.id, step)
        for step in STEPS[LIGHT_SET]
        if isinstance(step, Brightness)
    ]
