"""The laws of reading that English and Chinese share, each with its sibling."""

from __future__ import annotations

import pytest

from penchant_sdk.home import Brightness, BrightnessStep, ColourTemperature, VolumeStep, When
from penchant_sdk.home.parameters import Parameter
from tests.support.rooms import interpreted


@pytest.mark.parametrize(
    ("text", "entities", "parameter"),
    [
        (
            "could you dim the lights in the bedroom",
            ("light.bedroom", "light.bedside"),
            BrightnessStep(-20),
        ),
        ("lower the lights in the kitchen", ("light.kitchen",), BrightnessStep(-20)),
        ("turn up the lights", ("light.living",), BrightnessStep(20)),
        ("turn the lights down in the whole house", ("light.all",), BrightnessStep(-20)),
        ("turn the brightness to one hundred percent", ("light.living",), Brightness(100)),
        ("set the light to three thousand kelvin", ("light.living",), ColourTemperature(3000)),
        ("get the brightness down a bit please", ("light.living",), BrightnessStep(-10)),
        ("把厨房的灯调暗", ("light.kitchen",), BrightnessStep(-20)),
        ("全屋的灯调暗", ("light.all",), BrightnessStep(-20)),
        ("把灯调亮百分之十", ("light.living",), BrightnessStep(10)),
        ("音量调高百分之十", ("media_player.tv",), VolumeStep(10)),
        ("客厅灯亮度调到百分之百", ("light.living",), Brightness(100)),
        ("厨房灯亮度三成", ("light.kitchen",), Brightness(30)),
        ("客厅灯色温调到三千开", ("light.living",), ColourTemperature(3000)),
    ],
)
def test_more_less_and_numbers_in_words(
    text: str, entities: tuple[str, ...], parameter: Parameter
) -> None:
    act = interpreted(text).act
    assert act is not None
    assert (act.entities, act.parameter) == (entities, parameter)


@pytest.mark.parametrize(
    "text", ["turn the fan off in a quarter of an hour", "一刻钟后关风扇", "明天关厨房灯"]
)
def test_a_time_is_on_the_action_or_asked_about(text: str) -> None:
    said = interpreted(text)
    assert said.suggestions
    assert said.suggestions[0].action.when != When()


@pytest.mark.parametrize(
    "text",
    [
        "set the heating to minus five",
        "turn on the bathroom light",
        "did anyone turn off the coffee machine",
        "you should have turned the light off",
        "空调调到零下五度",
        "打开浴室的灯",
    ],
)
def test_an_impossible_value_a_missing_room_and_what_was_never_asked_do_nothing(text: str) -> None:
    assert not interpreted(text).acts


@pytest.mark.parametrize(
    "text",
    ["别关厨房灯", "不要打开电视", "为什么开了客厅灯", "提醒我关灯", "告诉小明关灯", "他说关灯"],
)
def test_negations_questions_and_reports_are_refused(text: str) -> None:
    assert interpreted(text).refused


@pytest.mark.parametrize(
    "text",
    [
        "turn off all lights apart from the kitchen",
        "apart from the kitchen turn off all the lights",
        "turn off all lights but the kitchen",
    ],
)
def test_an_exception_is_left_alone(text: str) -> None:
    act = interpreted(text).act
    assert act is None or "light.kitchen" not in act.entities


@pytest.mark.parametrize(
    ("text", "intent", "entity"),
    [
        ("set off the hoover", "HassVacuumStart", "vacuum.robot"),
        ("switch the machine off, the coffee is done", "HassTurnOff", "switch.coffee"),
        ("can i get a coffee over here", "HassTurnOn", "switch.coffee"),
        ("i would like the light to be blue instead of white", "HassLightSet", "light.living"),
        ("打开热水壶", "HassTurnOn", "switch.kettle"),
        ("启动扫地机器人", "HassVacuumStart", "vacuum.robot"),
    ],
)
def test_the_first_suggestion_is_the_device_that_is_meant(
    text: str, intent: str, entity: str
) -> None:
    said = interpreted(text)
    assert said.suggestions
    first = said.suggestions[0].action
    assert (first.intent, first.entity) == (intent, entity)
