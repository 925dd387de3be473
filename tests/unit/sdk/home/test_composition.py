"""The laws of composition: a wish is a property, a way and a target, however it is put."""

from __future__ import annotations

import pytest

from penchant_sdk.home import (
    Brightness,
    BrightnessStep,
    Colour,
    ColourTemperature,
)
from penchant_sdk.home.parameters import Parameter
from penchant_sdk.home.reading.lexicon import lexicon
from tests.support.rooms import interpreted


@pytest.mark.parametrize(
    ("text", "intent", "entity"),
    [
        ("please supply electricity to the smart plug", "HassTurnOn", "switch.plug"),
        ("let the smart plug have power", "HassTurnOn", "switch.plug"),
        ("could you power the socket", "HassTurnOn", "switch.plug"),
        ("stop giving power to the plug", "HassTurnOff", "switch.plug"),
        ("take the power away from the plug", "HassTurnOff", "switch.plug"),
        ("the plug should not be on", "HassTurnOff", "switch.plug"),
        ("the plug must be off", "HassTurnOff", "switch.plug"),
        ("make the socket inactive", "HassTurnOff", "switch.plug"),
        ("get the smart plug working", "HassTurnOn", "switch.plug"),
        ("let there be light", "HassTurnOn", "light.living"),
        ("bring light to the kitchen", "HassTurnOn", "light.kitchen"),
        ("the kitchen should be lit", "HassTurnOn", "light.kitchen"),
        ("make the lights come on", "HassTurnOn", "light.living"),
        ("i need some light", "HassTurnOn", "light.living"),
        ("i could murder a cup of coffee", "HassTurnOn", "switch.coffee"),
        ("prepare a strong black coffee for me please", "HassTurnOn", "switch.coffee"),
        ("make the robot vacuum do its thing", "HassVacuumStart", "vacuum.robot"),
    ],
)
def test_power_light_and_work_are_given_and_taken_away(text: str, intent: str, entity: str) -> None:
    act = interpreted(text).act
    assert act is not None
    assert (act.intent, act.entity) == (intent, entity)


@pytest.mark.parametrize(
    ("text", "entity", "parameter"),
    [
        ("add some brightness to the lounge", "light.living", BrightnessStep(20)),
        ("cut the brightness in the kitchen", "light.kitchen", BrightnessStep(-20)),
        ("make the kitchen as bright as possible", "light.kitchen", Brightness(100)),
        ("turn the kitchen light from white to red", "light.kitchen", Colour("red")),
        ("i want the kitchen light changed to orange", "light.kitchen", Colour("orange")),
        ("go back to white light", "light.living", Colour("white")),
        ("let the lights be dark green", "light.living", Colour("green")),
        ("warm white in the kitchen", "light.kitchen", ColourTemperature(2700)),
        ("bedrom light brigther", "light.bedroom", BrightnessStep(20)),
        ("厨房的光再强一点", "light.kitchen", BrightnessStep(20)),
        ("厨房灯没必要这么亮", "light.kitchen", BrightnessStep(-20)),
        ("卧室灯不够亮", "light.bedroom", BrightnessStep(20)),
        ("把卧室灯弄柔和点", "light.bedroom", BrightnessStep(-10)),
        ("让厨房灯发出红光", "light.kitchen", Colour("red")),
    ],
)
def test_a_property_is_changed_by_whatever_verb(
    text: str, entity: str, parameter: Parameter
) -> None:
    act = interpreted(text).act
    assert act is not None
    assert (act.entities[0], act.parameter) == (entity, parameter)


@pytest.mark.parametrize(
    ("text", "intent", "entity"),
    [
        ("my eyes hurt dim the kitchen light", "HassLightSet", "light.kitchen"),
        ("we're watching a movie, dim the lights", "HassLightSet", "light.living"),
        ("i can't find my keys can you turn the kitchen light on", "HassTurnOn", "light.kitchen"),
        ("turn the fan off i'm sleepy", "HassTurnOff", "fan.living"),
        ("turn the kitchen light on for my daughter", "HassTurnOn", "light.kitchen"),
        ("jasper, turn the fan off", "HassTurnOff", "fan.living"),
        ("immensely dim the kitchen light", "HassLightSet", "light.kitchen"),
        ("nobody is in the kitchen so turn the light off there", "HassTurnOff", "light.kitchen"),
    ],
)
def test_a_reason_a_name_and_a_purpose_need_no_question(
    text: str, intent: str, entity: str
) -> None:
    act = interpreted(text).act
    assert act is not None
    assert (act.intent, act.entity) == (intent, entity)


@pytest.mark.parametrize(
    "text",
    [
        "i can turn off the lights myself",
        "i'm cleaning the kitchen right now",
        "i'm off for a coffee",
        "he changed the light to red",
        "the song goes turn off the kitchen light",
        "my mother says to turn off the kitchen light",
        "green light for the project",
        "pull the plug on the whole project",
        "fifty percent off at the outlet",
        "there's a power vacuum in the party",
        "play relaxing sounds",
        "cheer me up",
        "turn the conservatory light on",
        "turn the kitchen light to chartreuse-ish moonbeam",
        "turn the kitchen light on hourly",
        "我自己会关灯",
        "他把灯打开了",
        "要不要开灯呢",
        "把床头灯关了",
        "天黑了就把客厅灯打开",
    ],
)
def test_what_is_told_or_not_in_the_home_is_never_done_at_once(text: str) -> None:
    assert interpreted(text).act is None


def test_chinese_degrees_are_made_of_adjectives() -> None:
    phrases = lexicon("zh-CN").phrases
    ways = {
        "再亮一点": "brightness+",
        "太亮": "brightness-",
        "别那么亮": "brightness-",
        "不够暖": "temperature+",
    }
    for said, way in ways.items():
        assert way in {one.value for one in phrases[tuple(said)] if one.category == "rel"}


def test_a_shade_is_its_colour_and_no_level() -> None:
    assert {one.value for one in lexicon("en").phrases[("deep", "purple")]} == {"purple"}
