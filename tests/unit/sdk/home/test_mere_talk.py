"""The laws of talk: a mention of colours, warmth or devices without a wish gets nothing done."""

from __future__ import annotations

import pytest

from penchant_sdk.home.reading.spelling_slips import is_likely_slip
from tests.support.rooms import interpreted


@pytest.mark.parametrize(
    "text",
    [
        "love the blue color",
        "the colour is nice",
        "beautiful shade of green",
        "i have it in both colors",
        "they are cute, but not white",
        "the color is way off",
        "very bright colors",
        "more colors please",
        "warm and cozy",
        "it's really cozy",
        "i'm a 34c",
        "pink is brighter",
        "i might get another colour",
        "it was clean",
        "thanks for the coffee",
        "that was a good coffee",
        "you are clean",
        "turn on crumb",
        "put on purple haze",
        "stop sleeper",
        "open sleepers",
        "move the fan",
        "the fan is running",
        "my coffee is brewing",
        "the robot vacuum is cleaning",
        "do i need to turn the heating on",
        "is it worth turning the fan on",
        "what is the temperature",
        "how cold is it",
        "tell me the temperature",
        "where is the kitchen light",
        "is the kitchen open",
        "quieter lights please",
        "现在几度",
        "温度多少",
        "我有点冷",
    ],
)
def test_talk_never_acts(text: str) -> None:
    assert not interpreted(text).acts


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("make it blue", "HassLightSet"),
        ("i'd like a cozy light in here", "HassLightSet"),
        ("it's too bright in here", "HassLightSet"),
        ("full brightness", "HassLightSet"),
        ("the lights should be blue", "HassLightSet"),
        ("we're watching a film, dim the lights", "HassLightSet"),
        ("make sure the fan is running", "HassTurnOn"),
        ("how hot is it in here", "HassClimateGetTemperature"),
        ("what is the temperature in the bedroom", "HassClimateGetTemperature"),
        ("trun on the kichen light", "HassTurnOn"),
        ("it's cold, heating on please", "HassTurnOn"),
        ("把灯打开让我看看", "HassTurnOn"),
    ],
)
def test_a_wish_in_the_same_words_acts(text: str, intent: str) -> None:
    said = interpreted(text)
    assert [act.intent for act in said.acts] == [intent]


@pytest.mark.parametrize(
    ("word", "meant", "likely"),
    [
        ("kichen", "kitchen", True),
        ("lmap", "lamp", True),
        ("lanp", "lamp", True),
        ("vacume", "vacuum", True),
        ("sleeper", "sweeper", False),
        ("gripe", "grape", False),
        ("dingo", "dingy", False),
    ],
)
def test_a_slip_is_made_by_the_hand_or_the_ear(word: str, meant: str, *, likely: bool) -> None:
    assert is_likely_slip(word, meant) is likely
