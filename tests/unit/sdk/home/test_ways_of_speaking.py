"""The laws of idioms, reasons, needs and slips: what is unusual is read, or asked about."""

from __future__ import annotations

from datetime import time

import pytest

from penchant_sdk.home import Temperature
from penchant_sdk.home.reading.spelling_slips import Speller
from tests.support.rooms import interpreted


@pytest.mark.parametrize(
    ("text", "intent", "entity"),
    [
        ("is it possible for you to switch the fan off", "HassTurnOff", "fan.living"),
        ("is it ok if you open the blinds", "HassTurnOn", "cover.blinds"),
        ("any chance you could put the fan on", "HassTurnOn", "fan.living"),
        ("are you able to close the blinds", "HassTurnOff", "cover.blinds"),
        ("draw up the blinds please", "HassTurnOn", "cover.blinds"),
        ("max out the kitchen light", "HassLightSet", "light.kitchen"),
        ("tv sound off", "HassMediaPlayerMute", "media_player.tv"),
        ("kill the sound on the telly", "HassMediaPlayerMute", "media_player.tv"),
        ("get some juice to the smart plug", "HassTurnOn", "switch.plug"),
        ("hoover take a break", "HassVacuumPause", "vacuum.robot"),
        ("hoover back to bed", "HassVacuumReturnToBase", "vacuum.robot"),
        ("has the kettle boiled", "HassGetState", "switch.kettle"),
        ("what's the robot vacuum up to", "HassGetState", "vacuum.robot"),
        ("how many lights are on", "HassGetState", "light.all"),
        ("让电视没声音", "HassMediaPlayerMute", "media_player.tv"),
        ("扫地机器人停一会儿", "HassVacuumPause", "vacuum.robot"),
        ("别再扫了", "HassTurnOff", "vacuum.robot"),
        ("家里有几盏灯开着", "HassGetState", "light.all"),
        ("风扇还开着吗", "HassGetState", "fan.living"),
    ],
)
def test_polite_questions_idioms_and_questions_of_state_are_read(
    text: str, intent: str, entity: str
) -> None:
    act = interpreted(text).act
    assert act is not None
    assert (act.intent, act.entity) == (intent, entity)


@pytest.mark.parametrize("text", ["heating on at 21", "set the heating on 21"])
def test_a_number_that_heating_may_have_is_no_clock(text: str) -> None:
    act = interpreted(text).act
    assert act is not None
    assert act.parameter == Temperature(21)
    assert act.when.now


def test_a_number_that_may_be_a_level_or_an_hour_is_asked_about() -> None:
    assert interpreted("tv on at 20").act is None
    act = interpreted("fan on at 6").act
    assert act is not None
    assert act.when.at is not None


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("turn the fan off at quarter to midnight", time(23, 45)),
        ("turn off the kettle at half ten tonight", time(22, 30)),
        ("turn off the kettle at 18 00", time(18)),
        ("中午十二点关风扇", time(12)),
        ("中午一点关风扇", time(13)),
    ],
)
def test_an_hour_is_the_one_that_is_said(text: str, at: time) -> None:
    best = interpreted(text).best
    assert best is not None
    assert best.when.at == at


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        (
            "kill all the lights bar the bedside lamp",
            {"light.living", "light.bedroom", "light.kitchen"},
        ),
        ("其他灯都关留着厨房的", {"light.living", "light.bedroom"}),
        ("厨房灯留着其余关掉", {"light.living", "light.bedroom"}),
        ("灯都调到百分之三十卧室除外", {"light.living", "light.kitchen"}),
    ],
)
def test_what_is_kept_is_left_out(text: str, entities: set[str]) -> None:
    best = interpreted(text).best
    assert best is not None
    assert set(best.entities) == entities


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("it's getting late so turn off the fan", "fan.living"),
        ("pause the tv i need a moment", "media_player.tv"),
        ("i'm dying for a coffee", "switch.coffee"),
        ("孩子睡了把电视声音调小", "media_player.tv"),
    ],
)
def test_a_plain_command_beside_its_reason_is_done(text: str, entity: str) -> None:
    act = interpreted(text).act
    assert act is not None
    assert act.entity == entity


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("the film's about to begin so take the lounge light to ten percent", "light.living"),
        ("i could do with a breeze", "fan.living"),
        ("people can see right in from the street", "cover.blinds"),
        ("someone's tracked mud all over the rug", "vacuum.robot"),
        ("地上全是猫毛", "vacuum.robot"),
    ],
)
def test_reasons_and_needs_are_asked_about(text: str, entity: str) -> None:
    said = interpreted(text)
    assert said.act is None
    assert said.best is not None
    assert said.best.entity == entity
    assert not said.then


@pytest.mark.parametrize(
    "text",
    [
        "no no leave the light",
        "leave the light alone",
        "leave the fan as it is",
        "hands off the thermostat",
        "no don't turn the light off",
        "turn off the tv she said",
        "remind me to turn off the tv",
        "客厅灯别关",
    ],
)
def test_no_part_of_a_sentence_is_done_that_the_rest_takes_back(text: str) -> None:
    said = interpreted(text)
    assert said.act is None
    assert said.question == ""


@pytest.mark.parametrize(
    "text",
    [
        "the light's on again",
        "fan speed 2",
        "sort the heating out",
        "the fan is on",
        "tv off at the end of the film",
    ],
)
def test_what_may_only_tell_or_mean_something_else_never_acts(text: str) -> None:
    assert interpreted(text).act is None


def test_a_real_word_before_a_name_may_be_a_slip_and_is_asked_about() -> None:
    assert Speller({"bedside", "lamp"}, {"beside"}, (), [("bedside", "lamp")]).corrected(
        ["beside", "lamp"]
    ) == (["bedside", "lamp"], 4)
    said = interpreted("beside lamp brighter")
    assert said.act is None
    assert said.best is not None
    assert said.best.entity == "light.bedside"
