"""The law of loose words: without a device, nothing is done for words that may mean another."""

from __future__ import annotations

import pytest

from penchant_sdk.home import BrightnessStep
from tests.support.rooms import interpreted


@pytest.mark.parametrize(
    "text",
    [
        "dim the mood",
        "make my day brighter",
        "brighten my mum",
        "you are so bright",
        "you're too bright",
        "be brighter",
        "turn on dark mode",
        "dark mode on",
        "switch yourself on",
        "vacuum yourself",
        "softer",
        "lighter please",
        "pretty lights",
        "is my house clean",
        "how much coffee is left",
        "how bright can the lights go",
        "remember to turn off the plug",
        "你真亮",
    ],
)
def test_what_may_be_about_something_else_never_acts(text: str) -> None:
    assert not interpreted(text).acts


@pytest.mark.parametrize(
    "text",
    [
        "make it brighter mate",
        "brighter please",
        "could you make it a tad brighter in here cheers",
        "it is way too dim in here",
        "bro make it brighter",
        "make the room brighter for the movie",
    ],
)
def test_courtesies_addresses_and_purposes_leave_a_command_one(text: str) -> None:
    act = interpreted(text).act
    assert act is not None
    assert isinstance(act.parameter, BrightnessStep)
    assert act.parameter.percent > 0


@pytest.mark.parametrize(
    ("text", "intent", "entity"),
    [
        ("kitchen, lights, off.", "HassTurnOff", "light.kitchen"),
        ("the kitchen does not need light anymore", "HassTurnOff", "light.kitchen"),
        ("put some power to the plug", "HassTurnOn", "switch.plug"),
        ("de-energise the smart plug", "HassTurnOff", "switch.plug"),
        ("de-activate the kitchen lights", "HassTurnOff", "light.kitchen"),
        ("hold the hoover for a second", "HassVacuumPause", "vacuum.robot"),
        ("darken the room completely", "HassTurnOff", "light.living"),
        ("don't make it so bright", "HassLightSet", "light.living"),
        ("a cup of joe please", "HassTurnOn", "switch.coffee"),
        ("来点光", "HassTurnOn", "light.living"),
        ("厨房不用灯了关掉", "HassTurnOff", "light.kitchen"),
    ],
)
def test_turns_of_phrase_of_crowds_are_read(text: str, intent: str, entity: str) -> None:
    act = interpreted(text).act
    assert act is not None
    assert (act.intent, act.entity) == (intent, entity)


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("bedside on", "light.bedside"),
        ("it's pitch black in the kitchen", "light.kitchen"),
        ("i'm sleepy, coffee", "switch.coffee"),
        ("i can hardly read in this light", "light.living"),
        ("卧室太暗", "light.bedroom"),
    ],
)
def test_half_a_name_and_a_need_in_a_room_are_asked_about(text: str, entity: str) -> None:
    said = interpreted(text)
    assert not said.acts
    assert said.suggestions[0].action.entity == entity
