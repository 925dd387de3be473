"""The law of number words: both, two, all three and 都 mean so many devices of a room or a home."""

from __future__ import annotations

import pytest

from penchant_sdk.home import Interpretation
from tests.support.rooms import LIVING, NOON, rooms_home

BEDROOM = ("light.bedroom", "light.bedside")
WHOLE = ("light.living", "light.bedroom", "light.kitchen", "light.bedside")


def said_in(room: str, text: str) -> Interpretation:
    """What a home with two lights in the bedroom and one in each other room makes of a text."""
    return rooms_home("en").interpret(text, user="ann", room=room, at=NOON)


@pytest.mark.parametrize(
    "text",
    [
        "switch both lights off",
        "turn off both of the lights",
        "turn off the two lamps",
        "two lights off please",
        "set both lights to 50 percent",
        "make both lamps blue",
    ],
)
def test_a_number_of_lights_means_those_of_the_room_that_are_so_many(text: str) -> None:
    act = said_in("bedroom", text).act
    assert act is not None
    assert act.entities == BEDROOM


@pytest.mark.parametrize("text", ["both bedroom lights on", "dim the two bedroom lights"])
def test_a_room_that_is_named_counts_and_not_that_of_the_speaker(text: str) -> None:
    act = said_in("kitchen", text).act
    assert act is not None
    assert act.entities == BEDROOM


def test_a_number_that_the_whole_home_has_means_the_whole_home() -> None:
    act = said_in("bedroom", "turn off all four lights").act
    assert act is not None
    assert act.entities == WHOLE


@pytest.mark.parametrize(
    "text",
    [
        "turn off both lights",
        "switch the three lights off",
        "all five lights off",
        "turn on every other light",
        "turn off one of the lights",
        "either light on",
        "turn off the other light",
        "turn both off",
    ],
)
def test_a_number_that_fits_no_room_and_a_choice_that_is_left_open_ask(text: str) -> None:
    said = said_in("kitchen", text)
    assert not said.acts
    assert said.question


def test_neither_light_is_to_be_on_switches_two_off() -> None:
    act = said_in("bedroom", "neither light should be on").act
    assert act is not None
    assert (act.intent, act.entities) == ("HassTurnOff", BEDROOM)


@pytest.mark.parametrize("text", ["turn off just the bedside lamp", "only the lamp off"])
def test_only_one_means_that_one(text: str) -> None:
    act = said_in("bedroom", text).act
    assert act is not None
    assert act.entities == ("light.bedside",)


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("三盏灯全打开", ("light.living", "light.bedroom", "light.kitchen")),
        ("把灯都关了", ("light.all",)),
        ("把灯全关了", ("light.all",)),
        ("把每一盏灯都打开", ("light.all",)),
        ("厨房的灯都关掉", ("light.kitchen",)),
    ],
)
def test_chinese_numbers_and_dou_mean_several(text: str, entities: tuple[str, ...]) -> None:
    home = rooms_home("zh-CN")
    act = home.interpret(text, user="ann", room=LIVING["zh-CN"], at=NOON).act
    assert act is not None
    assert act.entities == entities


def test_a_chinese_number_that_does_not_fit_asks() -> None:
    home = rooms_home("zh-CN")
    said = home.interpret("把两个灯都关掉", user="ann", room=LIVING["zh-CN"], at=NOON)
    assert not said.acts
    assert said.question
