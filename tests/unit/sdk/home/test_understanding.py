"""Sentences to actions: exact ones by template, values from text, entities by name and place."""

from __future__ import annotations

import json

import pytest

from penchant_sdk import InvalidRequest
from penchant_sdk.home import (
    Action,
    Asked,
    Brightness,
    BrightnessStep,
    Colour,
    ColourTemperature,
    Duration,
    Entity,
    HomeClient,
    Parameter,
    Position,
    Temperature,
    TemperatureStep,
    Volume,
    VolumeStep,
)
from penchant_sdk.home._nearest import exemplars
from penchant_sdk.home.reading.reader import Reader
from penchant_sdk.home.spelling import spelt
from penchant_sdk.testing import FakePenchant
from tests.support.house import HOUSE, home_server

LIVING = "living room"


@pytest.fixture(scope="module")
def penchant() -> FakePenchant:
    return FakePenchant(home_server())


@pytest.fixture(scope="module")
def home(penchant: FakePenchant) -> HomeClient:
    client = HomeClient(penchant)
    client.register(HOUSE)
    return client


@pytest.mark.parametrize(
    ("text", "intent", "entity", "parameter"),
    [
        ("turn on the floor lamp", "HassTurnOn", "light.lamp", None),
        ("turn off the telly", "HassTurnOff", "media_player.tv", None),
        ("set the ceiling light to 20%", "HassLightSet", "light.ceiling", Brightness(20)),
        ("set the floor lamp to red", "HassLightSet", "light.lamp", Colour("red")),
        (
            "set the floor lamp color temperature to 2700",
            "HassLightSet",
            "light.lamp",
            ColourTemperature(2700),
        ),
        (
            "set the temperature to 21.5 degrees",
            "HassClimateSetTemperature",
            "climate.living",
            Temperature(21.5),
        ),
        ("open the left curtain to 30%", "HassSetPosition", "cover.left", Position(30)),
        ("close the curtains", "HassTurnOff", "cover.left", None),
        ("set the TV volume to 15 percent", "HassSetVolume", "media_player.tv", Volume(15)),
        ("volume up", "HassSetVolumeRelative", "media_player.tv", VolumeStep(10)),
        ("start a timer for 5 minutes", "HassStartTimer", "timer.home", Duration(300)),
    ],
)
def test_an_exact_sentence_is_done_as_it_says(
    home: HomeClient, text: str, intent: str, entity: str, parameter: Parameter | None
) -> None:
    said = home.interpret(text, user="ann", room=LIVING)
    assert said.exact
    assert said.act == Action(intent, entity, parameter)
    assert said.question == ""


def test_what_concerns_no_device_is_named_and_left_to_others(home: HomeClient) -> None:
    said = home.interpret("what time is it", user="ann", room=LIVING)
    assert said.best == Action("HassGetCurrentTime")
    assert (said.act, said.question, said.refused) == (None, "", True)
    assert said.suggestions[0].asked is Asked.ELSEWHERE


def test_a_room_that_is_named_goes_before_the_one_where_it_was_said(home: HomeClient) -> None:
    said = home.interpret("turn on the lights in the bedroom", user="ann", room=LIVING)
    assert said.best is not None
    assert said.best.entity == "light.bed"


def test_a_sentence_about_here_means_the_room_where_it_was_said(home: HomeClient) -> None:
    said = home.interpret("turn off the lights", user="ann", room=LIVING)
    assert said.act is not None
    assert said.act.entities == ("light.ceiling", "light.lamp")
    assert {one.action.entity for one in said.suggestions} == {"light.ceiling", "light.lamp"}


def test_what_no_entity_fits_asks_which(home: HomeClient) -> None:
    said = home.interpret("turn on the fan", user="ann", room="kitchen")
    assert said.act is None or said.act.entity == "fan.bed"
    said = home.interpret("turn off the lights in the kitchen", user="ann", room="kitchen")
    assert (said.act, said.refused) == (None, False) or said.refused


def test_a_value_that_can_not_be_asks_for_another(home: HomeClient) -> None:
    said = home.interpret("set the temperature to 90 degrees", user="ann", room=LIVING)
    assert said.act is None
    assert said.question == "To what value?"
    assert said.suggestions[0].asked is Asked.UNSURE


def test_nonsense_is_refused(home: HomeClient) -> None:
    said = home.interpret("xyzzy plugh frobnicate", user="ann", room=LIVING)
    assert said.refused
    assert (said.best, said.act, said.question) == (None, None, "")


def test_a_known_phrase_is_understood_freely_and_its_parameter_filled(home: HomeClient) -> None:
    said = home.interpret("I need more light to read", user="ann", room="bedroom")
    assert said.best == Action("HassLightSet", "light.bed", BrightnessStep(20))


@pytest.mark.parametrize(
    ("text", "language", "parameter"),
    [
        ("make the lamp a cosy 2200 kelvin please", "en", ColourTemperature(2200)),
        ("make it purple", "en", Colour("purple")),
        ("lights down to a quarter", "en", Brightness(25)),
        ("the lamp at about thirty five percent would do", "en", Brightness(35)),
        ("I'd like the thermostat at 19.7", "en", Temperature(19.5)),
        ("tv volume down by five", "en", VolumeStep(-5)),
        ("set the lamp to one hundred percent", "en", Brightness(100)),
        ("set the lamp to three thousand kelvin", "en", ColourTemperature(3000)),
        ("raise the temperature by 5 degrees", "en", TemperatureStep(5)),
        ("10 percent brighter", "en", BrightnessStep(10)),
        ("把灯调成暖白", "zh-CN", ColourTemperature(2700)),
        ("灯的亮度百分之三十五", "zh-CN", Brightness(35)),
        ("把灯调到三成", "zh-CN", Brightness(30)),
        ("把灯的亮度调高百分之十", "zh-CN", BrightnessStep(10)),
    ],
)
def test_a_free_texts_value_is_in_the_actions_unit(
    text: str, language: str, parameter: Parameter
) -> None:
    lamps = {"en": ("lamp", "thermostat", "tv"), "zh-CN": ("吊灯", "空调", "电视")}[language]
    ids = ("light.a", "climate.b", "media_player.c")
    house = [Entity(id, name, room=LIVING) for id, name in zip(ids, lamps, strict=True)]
    (command,) = Reader(language, house).read(text, LIVING).commands
    assert (command.parameter, command.impossible) == (parameter, False)


def test_chinese_is_matched_exactly_and_asked_back_in_chinese() -> None:
    home = HomeClient(FakePenchant(home_server()), language="zh-CN")
    home.register([Entity("light.k", "吊灯", room="客厅"), Entity("lock.d", "前门")])
    dim = home.interpret("把吊灯亮度调到20%", user="ann", room="客厅")
    assert dim.act == Action("HassLightSet", "light.k", Brightness(20))
    assert home.interpret("解锁前门", user="ann", room="客厅").question == "要解锁前门吗？"


def test_every_item_says_what_it_does_as_proto3_json(penchant: FakePenchant) -> None:
    HomeClient(penchant).register(HOUSE)
    (item,) = penchant.get_items(["home/light.bed/HassLightSet/brightness=20"]).items
    assert item.text == "set the bedside lamp in the bedroom to 20 percent brightness"
    assert json.loads(item.attributes["action"]) == {
        "intent": "HassLightSet",
        "entity": "light.bed",
        "brightnessPercent": 20,
    }
    assert json.loads(item.attributes["entity"])["name"] == "bedside lamp"


def test_entities_with_one_id_and_unknown_languages_are_refused() -> None:
    lamp = Entity("light.x", "lamp")
    with pytest.raises(InvalidRequest, match="expected distinct ids"):
        HomeClient(FakePenchant(home_server())).register([lamp, lamp])
    with pytest.raises(InvalidRequest, match="language: got 'tlh'"):
        HomeClient(FakePenchant(home_server()), language="tlh")
    with pytest.raises(InvalidRequest, match="expected a domain and a name"):
        Entity("lamp", "lamp")


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_known_sentences_are_distinct_and_encodable(language: str) -> None:
    known = exemplars(language)
    assert len({one.text for one in known}) == len(known) > 400
    assert not any("\u4e00" <= letter <= "\u9fff" for one in known for letter in spelt(one.text))
