"""The law of the home: what may do harm never acts without a yes, whatever is said or learnt."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penchant_sdk import Event
from penchant_sdk.home import Asked, Entity, HomeClient, Voting
from penchant_sdk.home._actions import actions_of
from penchant_sdk.home._risk import READS, is_risky
from penchant_sdk.testing import FakePenchant
from tests.support.house import HOUSE, RISKY, home_server

RECKLESS = Voting(refuse_below=-1.0, sure_above=0.0)
"""Understands everything and is always sure."""
WORDS = (
    *("open", "close", "lock", "unlock", "turn", "on", "off", "the", "front", "door", "garage"),
    *("water", "valve", "oven", "alarm", "movie", "night", "scene", "let", "me", "in", "please"),
    *("now", "house", "disarm", "it", "everything", "lights", "curtain", "to", "50", "percent"),
)


@pytest.fixture(scope="module")
def taught() -> HomeClient:
    """A home whose people have wanted every risky action very often."""
    penchant = FakePenchant(home_server())
    home = HomeClient(penchant, voting=RECKLESS, never_without_confirmation=("media_player",))
    home.register(HOUSE)
    risky = [one for one in HOUSE if one.id in (*RISKY, "media_player.tv")]
    for user in ("ann", "bob"):
        events = [
            Event(user=user, item=action.id, signal="accepted")
            for _ in range(3)
            for entity in risky
            for action in actions_of(entity)
        ]
        penchant.feedback(events).raise_for_refused()
    return home


texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(
    texts | st.text(min_size=1, max_size=30).filter(str.strip),
    st.sampled_from(["ann", "bob", "carla"]),
    st.sampled_from(["", "living room", "kitchen", "bedroom"]),
    st.integers(0, 23),
)
def test_no_sentence_of_anybody_acts_on_what_may_do_harm(
    taught: HomeClient, text: str, user: str, room: str, hour: int
) -> None:
    said = taught.interpret(text, user=user, room=room, at=datetime(2026, 1, 1, hour, tzinfo=UTC))
    if said.act is not None and said.act.intent not in READS:
        assert said.act.entity not in (*RISKY, "media_player.tv")
    for suggestion in said.suggestions:
        if suggestion.action.entity in RISKY and suggestion.action.intent not in READS:
            assert suggestion.asked is Asked.RISKY
    assert said.refused or said.question or said.act is not None


_VERBS = {
    "en": (
        *("open", "close", "unlock", "lock", "turn on", "turn off", "switch on", "shut", "start"),
        *("activate", "disarm", "raise", "set", "let there be", "I want", "stop", "toggle", "up"),
        *("set off", "give power to", "get working", "it is late so open", "make sure to unlock"),
        *("love", "have made", "bring back", "could you please open", "remember to open"),
    ),
    "zh-CN": (
        "打开",
        "关闭",
        "开",
        "关",
        "解锁",
        "锁上",
        "启动",
        "升起",
        "把",
        "我要",
        "停",
        "调到",
        "让我看看",
        "太冷了打开",
        "帮我开一下",
    ),
}
_THINGS = {
    "en": (
        *("the front door", "garage door", "the gate", "the house alarm", "the water valve"),
        *("everything", "all doors", "all the devices", "the whole house", "every light", "it"),
        *("the oven", "movie night", "the kitchen light", "all lights but the oven", "the lock"),
    ),
    "zh-CN": (
        "前门",
        "车库门",
        "所有设备",
        "全家",
        "所有东西",
        "大门",
        "客厅灯",
        "锁",
        "电影之夜",
        "它",
    ),
}
_WAYS = {
    "en": (
        *("", "please", "now", "to 50 percent", "in 5 minutes", "for an hour", "a bit", "all off"),
        *("instead of white", "over here", "because i am cold", "for my daughter"),
    ),
    "zh-CN": ("", "吧", "一下", "到百分之五十", "五分钟后", "一点", "都", "现在"),
}
_JOINTS = {"en": (" and ", " then ", " except ", ", "), "zh-CN": ("然后", "并且", "除了", "，")}
_DOORS = (
    Entity("lock.front", "front door", aliases=("the lock", "前门", "大门")),
    Entity("cover.garage", "garage door", device_class="garage", aliases=("车库门", "all doors")),
    Entity("cover.gate", "gate", aliases=("all lights and doors",)),
    Entity("valve.water", "water valve", room="kitchen"),
    Entity("switch.oven", "oven", room="kitchen", aliases=("kitchen lights and oven",)),
    Entity("alarm_control_panel.house", "house alarm"),
    Entity("scene.movie", "movie night", aliases=("电影之夜",)),
)
_HARMLESS = (
    Entity("light.kitchen", "kitchen light", room="kitchen", aliases=("厨房灯",)),
    Entity("light.living", "living room light", room="living room", aliases=("客厅灯",)),
)


def _sentences(language: str, count: int) -> list[str]:
    rng = random.Random(20260105)
    joint = " " if language == "en" else ""

    def clause() -> str:
        parts = (_VERBS, _THINGS, _WAYS)
        said = [rng.choice(part[language]) for part in parts]
        rng.shuffle(said) if rng.random() < 0.2 else None
        return joint.join(part for part in said if part)

    return [
        clause() + (rng.choice(_JOINTS[language]) + clause() if rng.random() < 0.5 else "")
        for _ in range(count)
    ]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_no_sentence_of_5000_opens_a_door_alone_or_among_others(language: str) -> None:
    home = HomeClient(
        FakePenchant(home_server()), language=language, voting=RECKLESS, schedules=True
    )
    home.register((*_DOORS, *_HARMLESS))
    doors = {entity.id for entity in _DOORS}
    acted = several = 0
    for text in _sentences(language, 5000):
        said = home.interpret(text, user="ann", room="kitchen", at=datetime(2026, 1, 5, 12))
        for action in said.acts:
            acted += 1
            several += len(action.entities) > 1
            assert action.intent in READS or not doors & set(action.entities), text
        for one in (*said.suggestions, *said.then):
            if doors & set(one.action.entities) and one.action.intent not in READS:
                assert one.asked is Asked.RISKY
    assert acted > 100
    assert several > 10


@pytest.mark.parametrize("id", RISKY)
def test_each_change_of_a_risky_entity_asks(id: str) -> None:
    (entity,) = [one for one in HOUSE if one.id == id]
    assert all(
        is_risky(action, entity, ()) for action in actions_of(entity) if action.intent not in READS
    )


domains = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=20)


@given(
    domains, st.text(min_size=1, max_size=12), st.sampled_from(["", "door", "garage", "curtain"])
)
def test_a_kind_of_device_that_nobody_has_heard_of_asks(
    domain: str, name: str, device_class: str
) -> None:
    known = {"climate", "cover", "fan", "input_boolean", "light", "media_player"}
    if domain in known | {"switch", "timer", "todo", "vacuum"}:
        return
    entity = Entity(f"{domain}.x", name, device_class=device_class)
    assert all(
        is_risky(action, entity, ()) for action in actions_of(entity) if action.intent not in READS
    )


@pytest.mark.parametrize("listed", ["light.bed", "bedside lamp", "light", "bedroom"])
def test_what_the_owner_lists_asks_by_id_name_domain_or_room(listed: str) -> None:
    home = HomeClient(FakePenchant(home_server()), never_without_confirmation=(listed,))
    home.register(HOUSE)
    said = home.interpret("turn on the bedside lamp", user="ann", room="bedroom")
    assert said.act is None
    assert said.question == "Shall I turn on the bedside lamp in the bedroom?"


def test_an_entity_that_is_not_registered_asks() -> None:
    lamp = Entity("light.new", "new lamp")
    assert all(
        is_risky(action, None, ()) for action in actions_of(lamp) if action.intent not in READS
    )


@pytest.mark.parametrize("name", ["curtains", "窗帘"])
def test_a_curtain_may_act_and_a_cover_that_does_not_say_what_it_covers_may_not(name: str) -> None:
    curtain = Entity("cover.x", name, device_class="curtain")
    cover = Entity("cover.x", name)
    assert not any(is_risky(action, curtain, ()) for action in actions_of(curtain))
    assert is_risky(actions_of(cover)[0], cover, ())


@pytest.mark.parametrize("name", ["oven", "gas stove", "烤箱", "Alarm siren"])
def test_a_switch_that_heats_or_alarms_asks_by_its_name(name: str) -> None:
    entity = Entity("switch.x", name)
    assert is_risky(actions_of(entity)[0], entity, ())
