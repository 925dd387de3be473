"""The actions that a command may mean, including the values from which a habit may choose."""

from __future__ import annotations

from penchant_sdk.home._actions import (
    CLEAN_AREA,
    CLIMATE_SET,
    FAN_SPEED,
    LIGHT_SET,
    SET_POSITION,
    SET_VOLUME,
    STEPS,
    VOLUME_STEP,
)
from penchant_sdk.home.parameters import (
    Brightness,
    BrightnessStep,
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
from penchant_sdk.home.reading.commands import Choice, Command
from penchant_sdk.home.reading.verbs import ON
from penchant_sdk.home.types import Action

_DEFAULTS: dict[str, dict[int, Parameter]] = {
    LIGHT_SET: {0: Brightness(50), 1: BrightnessStep(20), -1: BrightnessStep(-20)},
    CLIMATE_SET: {0: Temperature(21), 1: TemperatureStep(1), -1: TemperatureStep(-1)},
    SET_POSITION: {0: Position(50), 1: PositionStep(20), -1: PositionStep(-20)},
    SET_VOLUME: {0: Volume(30), 1: VolumeStep(10), -1: VolumeStep(-10)},
    FAN_SPEED: {0: FanSpeed(50), 1: FanSpeedStep(20), -1: FanSpeedStep(-20)},
    VOLUME_STEP: {1: VolumeStep(10), -1: VolumeStep(-10)},
}
"""Value of a command that names none, by intent and direction; a habit overrides it."""
_RELATIVE = (BrightnessStep, TemperatureStep, PositionStep, FanSpeedStep, VolumeStep)


def candidates(command: Command) -> list[Action]:
    """Actions to choose from; the first is the default without a habit.

    If the sentence names a value, all actions have that value, and a habit chooses only the entity.

    Args:
        command: one thing that a sentence asks for.
    """
    if not command.choices:
        return [Action(command.intent)] if command.plain else []
    first, others = [], []
    for choice in command.choices:
        own = _of(command, choice)
        first += own[:1]
        others += own[1:]
    for intent in command.alternatives:
        first += [Action(intent, entities=_ids(command.choices[0]), when=command.when)]
    return list({action.id: action for action in first + others}.values())


def needs_value(action: Action) -> bool:
    """Whether an action needs a value and has none."""
    return action.parameter is None and action.intent in STEPS and action.intent != CLEAN_AREA


def _of(command: Command, choice: Choice) -> list[Action]:
    def act(intent: str, parameter: Parameter | None) -> Action:
        return Action(intent, parameter=parameter, entities=_ids(choice), when=command.when)

    intent, said = command.intent, command.parameter
    if said is not None and (command.valued or not isinstance(said, _RELATIVE)):
        return [act(intent, said)]
    if command.impossible:
        return [act(intent, None)]
    if intent == ON and all(one.domain == "light" for one in choice):
        return [act(intent, None), *(act(LIGHT_SET, level) for level in _BRIGHTNESSES)]
    default = said or _DEFAULTS.get(intent, {}).get(command.change)
    begin = act(intent, default)
    if intent == LIGHT_SET:
        return [begin, *(act(intent, level) for level in _BRIGHTNESSES)]
    steps = STEPS.get(intent, ())
    if isinstance(default, VolumeStep):  # "Louder" never means quieter.
        rising = default.percent > 0
        steps = tuple(
            step for step in steps if isinstance(step, VolumeStep) and (step.percent > 0) == rising
        )
    else:
        steps = tuple(step for step in steps if not isinstance(step, _RELATIVE))
    return [begin, *(act(intent, step) for step in steps)]


def _ids(choice: Choice) -> tuple[str, ...]:
    return tuple(entity.id for entity in choice)


_BRIGHTNESSES = tuple(step for step in STEPS[LIGHT_SET] if isinstance(step, Brightness))
