"""The laws of reading: no word of a sentence is dropped in silence, in either language."""

from __future__ import annotations

from datetime import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant_sdk.home import (
    Action,
    Area,
    BrightnessStep,
    Colour,
    Entity,
    FanSpeedStep,
    Temperature,
    TemperatureStep,
    VolumeStep,
    When,
)
from penchant_sdk.home.reading.commands import Reading
from penchant_sdk.home.reading.reader import Reader
from tests.support.rooms import HOME_ENTITIES, LIVING, interpreted

EN, ZH = "en", "zh-CN"


@pytest.fixture(scope="module")
def readers() -> dict[str, Reader]:
    return {language: Reader(language, HOME_ENTITIES[language]) for language in (EN, ZH)}


def read(readers: dict[str, Reader], text: str) -> Reading:
    language = EN if text.isascii() else ZH
    return readers[language].read(text, LIVING[language])


def did(readers: dict[str, Reader], text: str) -> tuple[str, tuple[str, ...]]:
    """Intent and entities of a sentence that is read in full and has one command."""
    reading = read(readers, text)
    assert reading.full, reading
    (command,) = reading.commands
    return command.intent, tuple(one.id for one in command.choices[0])


@pytest.mark.parametrize(
    ("text", "intent", "entity"),
    [
        ("start the kettle", "HassTurnOn", "switch.kettle"),
        ("switch on the kettle now", "HassTurnOn", "switch.kettle"),
        ("enable the smart plug", "HassTurnOn", "switch.plug"),
        ("shut the smart plug down", "HassTurnOff", "switch.plug"),
        ("could you please switch off that socket", "HassTurnOff", "switch.plug"),
        ("let the vacuum clean up", "HassVacuumStart", "vacuum.robot"),
        ("switch on the robot vacuum", "HassVacuumStart", "vacuum.robot"),
        ("send the hoover home", "HassVacuumReturnToBase", "vacuum.robot"),
        ("stop cleaning", "HassTurnOff", "vacuum.robot"),
        ("vacuum the house", "HassVacuumStart", "vacuum.robot"),
        ("tell the vacuum to start", "HassVacuumStart", "vacuum.robot"),
        ("don't leave the tv on", "HassTurnOff", "media_player.tv"),
        ("i don't want the tv on", "HassTurnOff", "media_player.tv"),
        ("make me a coffee", "HassTurnOn", "switch.coffee"),
        ("kill the telly", "HassTurnOff", "media_player.tv"),
        ("blinds down", "HassTurnOff", "cover.blinds"),
        ("swich of the kichen light", "HassTurnOff", "light.kitchen"),
        ("帮我把厨房灯打开", "HassTurnOn", "light.kitchen"),
        ("热水壶开一下", "HassTurnOn", "switch.kettle"),
        ("让扫地机器人回去充电", "HassVacuumReturnToBase", "vacuum.robot"),
        ("别让风扇再转了", "HassTurnOff", "fan.living"),
    ],
)
def test_a_sentence_that_names_its_entity_and_a_plain_verb_is_done(
    readers: dict[str, Reader], text: str, intent: str, entity: str
) -> None:
    assert did(readers, text) == (intent, (entity,))


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("turn on the lights in the bedroom", ("light.bedroom", "light.bedside")),
        ("dim the bedroom lights", ("light.bedroom", "light.bedside")),
        ("turn on the bedroom light", ("light.bedroom",)),
        ("lights on upstairs", ("light.bedroom", "light.bedside")),
        ("lights off everywhere", ("light.all",)),
        (
            "turn off all lights except the kitchen",
            ("light.living", "light.bedroom", "light.bedside"),
        ),
        (
            "all the lights but the bedside lamp off",
            ("light.living", "light.bedroom", "light.kitchen"),
        ),
        ("除了厨房灯，其他灯都关", ("light.living", "light.bedroom")),
        ("所有灯都打开卧室的不要", ("light.living", "light.kitchen")),
    ],
)
def test_places_groups_and_exceptions_say_which_devices_are_meant(
    readers: dict[str, Reader], text: str, entities: tuple[str, ...]
) -> None:
    assert did(readers, text)[1] == entities


@pytest.mark.parametrize(
    ("text", "parameter"),
    [
        ("dimmer lights please", BrightnessStep(-20)),
        ("turn the lights up a little", BrightnessStep(10)),
        ("bring down the light level", BrightnessStep(-20)),
        ("turn up the heating by 2 degrees", TemperatureStep(2)),
        ("make it a bit cooler in here", TemperatureStep(-0.5)),
        ("turn the tv down", VolumeStep(-10)),
        ("slow the fan down", FanSpeedStep(-20)),
        ("cool the room to 19 degrees", Temperature(19)),
        ("客厅灯调亮一些", BrightnessStep(10)),
        ("空调调高两度", TemperatureStep(2)),
    ],
)
def test_more_and_less_are_signed_steps_and_to_is_a_value(
    readers: dict[str, Reader], text: str, parameter: object
) -> None:
    reading = read(readers, text)
    assert reading.full
    assert reading.commands[0].parameter == parameter


@pytest.mark.parametrize(
    "text",
    [
        "do not turn off the kitchen light",
        "don't turn off the kitchen light",
        "never switch the kettle on",
        "why did you turn on the kitchen light",
        "remind me to turn off the kitchen light",
        "tell Bob to turn off the kitchen light",
        "she said turn off the tv",
        "i turned off the kitchen light",
        "you don't need to turn on the light",
        "stop turning off the lights",
        "what is a smart plug",
        "不要关厨房的灯",
        "别开灯",
        "提醒我关灯",
        "为什么开灯",
    ],
)
def test_negated_reported_past_and_general_sentences_are_refused(
    readers: dict[str, Reader], text: str
) -> None:
    assert read(readers, text).refused


@pytest.mark.parametrize(
    "text",
    [
        "turn off the kitchen light when I get home",
        "turn off the kitchen light tomorrow",
        "close the blinds if it rains",
        "turn off the kitchen light after the film",
        "turn on the bathroom light",
        "switch on the dishwasher",
        "turn on the kitchen light and frobnicate",
        "kettle on i mean the coffee machine",
        "turn on the fan in the kitchen",
        "如果下雨就关窗帘",
        "打开卫生间的灯",
        "等会儿关灯",
    ],
)
def test_what_is_not_understood_to_the_end_never_acts(text: str) -> None:
    said = interpreted(text, schedules=False)
    assert said.act is None


@pytest.mark.parametrize(
    "text",
    [
        "blue is my favourite colour",
        "that's so cool",
        "what's on tv tonight",
        "how long do i boil an egg",
        "we are out of coffee",
        "i love coffee",
        "go home",
        "ten degrees celsius in fahrenheit",
        "i was a fan of that band",
        "what's the speed of light",
        "is it cold outside today",
        "pause",
        "月亮真圆",
        "我喜欢咖啡",
        "前途一片光明",
    ],
)
def test_talk_about_other_things_never_acts(text: str) -> None:
    assert interpreted(text, schedules=False).act is None


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("turn off the kitchen light in ten minutes", When(after_s=600)),
        ("turn off the tv in half an hour", When(after_s=1800)),
        ("turn off the tv in a quarter of an hour", When(after_s=900)),
        ("coffee machine on at eight am", When(at=time(8))),
        ("turn on the fan for an hour", When(for_s=3600)),
        ("close the blinds at half past eight in the evening", When(at=time(20, 30))),
        ("turn off the kitchen light at midnight", When(at=time(0))),
        ("open the blinds tomorrow at 7 am", When(at=time(7), in_days=1)),
        ("十分钟后关客厅灯", When(after_s=600)),
        ("晚上十点半关灯", When(at=time(22, 30))),
        ("风扇开一个小时", When(for_s=3600)),
    ],
)
def test_a_time_is_typed_and_done_by_hubs_that_schedule(text: str, when: When) -> None:
    scheduled = interpreted(text, schedules=True)
    assert scheduled.act is not None
    assert scheduled.act.when == when
    said = interpreted(text, schedules=False)
    assert said.act is None
    assert said.best == scheduled.act
    assert said.question


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        (
            "turn on the kitchen light and turn off the bedside lamp",
            [Action("HassTurnOn", "light.kitchen"), Action("HassTurnOff", "light.bedside")],
        ),
        (
            "tv off kitchen light on",
            [Action("HassTurnOff", "media_player.tv"), Action("HassTurnOn", "light.kitchen")],
        ),
        (
            "turn on the fan and the tv",
            [Action("HassTurnOn", "fan.living"), Action("HassTurnOn", "media_player.tv")],
        ),
        (
            "living room light red kitchen light blue",
            [
                Action("HassLightSet", "light.living", Colour("red")),
                Action("HassLightSet", "light.kitchen", Colour("blue")),
            ],
        ),
        (
            "关灯拉窗帘",
            [Action("HassTurnOff", "light.living"), Action("HassTurnOff", "cover.blinds")],
        ),
    ],
)
def test_two_commands_are_two_actions_in_order(text: str, actions: list[Action]) -> None:
    said = interpreted(text, schedules=False)
    assert list(said.acts) == actions
    assert said.act == actions[0]


def test_one_risky_command_makes_the_whole_sentence_ask() -> None:
    said = interpreted("turn off the kitchen light and unlock the front door", schedules=False)
    assert said.acts == ()
    assert said.question == "Shall I turn off the kitchen light and unlock the front door?"
    assert [one.action.entity for one in said.then] == ["lock.front"]


def test_a_vacuum_goes_to_the_room_that_is_named() -> None:
    said = interpreted("vacuum the kitchen", schedules=False)
    assert said.act == Action("HassVacuumCleanArea", "vacuum.robot", Area("kitchen"))


def test_what_the_home_has_not_is_said() -> None:
    assert interpreted("turn on the bathroom light", schedules=False).question == (
        "There is no bathroom in this home. Which device do you mean?"
    )


def test_a_name_with_a_number_is_no_value() -> None:
    lamps = [Entity(f"light.l{n}", f"lamp {n}", room="bedroom") for n in (1, 2)]
    reading = Reader(EN, lamps).read("make lamp two brighter", "bedroom")
    (command,) = reading.commands
    assert (command.choices[0][0].id, command.parameter) == ("light.l2", BrightnessStep(20))
    reading = Reader(EN, lamps).read("set lamp 2 to 20 percent", "bedroom")
    assert reading.commands[0].choices[0][0].id == "light.l2"


@pytest.mark.parametrize("domain", ["humidifier", "camera", "input_boolean", "water_heater"])
def test_every_domain_is_switched_by_the_name_of_its_entity(domain: str) -> None:
    reader = Reader(EN, [Entity(f"{domain}.x", "frob box")])
    for verb, intent in (("turn on", "HassTurnOn"), ("switch off", "HassTurnOff")):
        reading = reader.read(f"{verb} the frob box", "")
        assert reading.full
        assert reading.commands[0].intent == intent


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([EN, ZH]),
    st.text(max_size=40)
    | st.lists(
        st.sampled_from(
            [
                *(
                    "turn",
                    "on",
                    "off",
                    "the",
                    "light",
                    "and",
                    "not",
                    "@0",
                    "@1",
                    "50",
                    "%",
                    "-",
                    "one",
                ),
                *("hundred", "half", "past", "in", "9" * 400, "minutes", "at", "25:77", "except"),
                *("开灯", "关", "百分之", "十", "点", "半", "除了", "分钟后", "千万", "℃", "，"),
            ]
        ),
        max_size=60,
    ).map(" ".join),
)
def test_no_text_is_too_strange_to_read(
    readers: dict[str, Reader], language: str, text: str
) -> None:
    assert len(readers[language].read(text, LIVING[language]).commands) < 200


@pytest.mark.parametrize(
    "text",
    [
        "switch it off",
        "please switch that off",
        "switch all off",
        "switch them all off",
        "switch the lot off",
        "switch everything off",
        "could you switch everything off",
    ],
)
def test_the_verb_switch_is_no_switch(text: str) -> None:
    said = interpreted(text)
    assert said.act is None
    assert all(one.action.entities != ("switch.plug",) for one in said.suggestions[:1])


@pytest.mark.parametrize("text", ["switch off the switch", "turn off all switches"])
def test_the_noun_switch_is_one(text: str) -> None:
    act = interpreted(text).act
    assert act is not None
    assert act.entities == ("switch.plug",)
