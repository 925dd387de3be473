"""Canonical sentences of actions, and the questions to the user, one table for each language.

>>> lock = Entity("lock.front", "front door")
>>> question([Action("HassTurnOff", "lock.front")], {lock.id: lock}, "en")
'Shall I unlock the front door?'
>>> canonical(Action("HassTurnOn", "cover.k"), [Entity("cover.k", "窗帘", room="厨房")], "zh-CN")
'打开厨房的窗帘'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from penchant_sdk.home.parameters import named_value
from penchant_sdk.home.types import Action, Entity
from penchant_sdk.home.when import When

_EN = {
    "HassTurnOn": "turn on {thing}",
    "HassTurnOff": "turn off {thing}",
    "HassTurnOn cover": "open {thing}",
    "HassTurnOff cover": "close {thing}",
    "HassTurnOn valve": "open {thing}",
    "HassTurnOff valve": "close {thing}",
    "HassTurnOn lock": "lock {thing}",
    "HassTurnOff lock": "unlock {thing}",
    "HassGetState": "tell how {thing} is",
    "HassClimateGetTemperature": "tell the temperature of {thing}",
    "HassStartTimer": "start a timer",
    "HassMediaPause": "pause {thing}",
    "HassMediaUnpause": "resume {thing}",
    "HassMediaNext": "skip to the next track on {thing}",
    "HassMediaPrevious": "go back to the previous track on {thing}",
    "HassMediaPlayerMute": "mute {thing}",
    "HassMediaPlayerUnmute": "unmute {thing}",
    "HassVacuumStart": "start {thing}",
    "HassVacuumCleanArea": "let {thing} clean the room",
    "HassVacuumReturnToBase": "send {thing} back to its base",
    "brightness": "set {thing} to {value:g} percent brightness",
    "kelvin": "set the colour temperature of {thing} to {value:g} kelvin",
    "colour": "set {thing} to {value}",
    "celsius": "set the temperature of {thing} to {value:g} degrees",
    "position": "open {thing} to {value:g} percent",
    "volume": "set the volume of {thing} to {value:g} percent",
    "louder": "turn the volume of {thing} up by {value:g} percent",
    "less louder": "turn the volume of {thing} down by {value:g} percent",
    "brighter": "make {thing} brighter by {value:g} percent",
    "less brighter": "make {thing} dimmer by {value:g} percent",
    "warmer": "turn {thing} up by {value:g} degrees",
    "less warmer": "turn {thing} down by {value:g} degrees",
    "colder": "make the white of {thing} cooler by {value:g} kelvin",
    "less colder": "make the white of {thing} warmer by {value:g} kelvin",
    "wider": "open {thing} by {value:g} percent",
    "less wider": "close {thing} by {value:g} percent",
    "faster": "make {thing} faster by {value:g} percent",
    "less faster": "make {thing} slower by {value:g} percent",
    "room": "let {thing} clean the {value}",
    "HassVacuumPause": "pause {thing}",
    "HassStopMoving": "stop {thing}",
    "speed": "set the speed of {thing} to {value:g} percent",
    "seconds": "start a timer of {value:g} minutes",
}
_ZH = {
    "HassTurnOn": "打开{thing}",
    "HassTurnOff": "关闭{thing}",
    "HassTurnOn lock": "锁上{thing}",
    "HassTurnOff lock": "解锁{thing}",
    "HassGetState": "查看{thing}的状态",
    "HassClimateGetTemperature": "查看{thing}的温度",
    "HassStartTimer": "开始计时",
    "HassMediaPause": "暂停{thing}",
    "HassMediaUnpause": "继续播放{thing}",
    "HassMediaNext": "{thing}切到下一首",
    "HassMediaPrevious": "{thing}回到上一首",
    "HassMediaPlayerMute": "{thing}静音",
    "HassMediaPlayerUnmute": "{thing}取消静音",
    "HassVacuumStart": "启动{thing}",
    "HassVacuumCleanArea": "让{thing}打扫房间",
    "HassVacuumReturnToBase": "让{thing}返回基站",
    "brightness": "把{thing}亮度调到{value:g}%",
    "kelvin": "把{thing}色温调到{value:g}开",
    "colour": "把{thing}调成{value}",
    "celsius": "把{thing}温度调到{value:g}度",
    "position": "把{thing}开到{value:g}%",
    "volume": "把{thing}音量调到{value:g}%",
    "louder": "把{thing}音量调高{value:g}%",
    "less louder": "把{thing}音量调低{value:g}%",
    "brighter": "把{thing}调亮{value:g}%",
    "less brighter": "把{thing}调暗{value:g}%",
    "warmer": "把{thing}调高{value:g}度",
    "less warmer": "把{thing}调低{value:g}度",
    "colder": "把{thing}色温调高{value:g}开",
    "less colder": "把{thing}色温调低{value:g}开",
    "wider": "把{thing}再打开{value:g}%",
    "less wider": "把{thing}再关上{value:g}%",
    "faster": "把{thing}调快{value:g}%",
    "less faster": "把{thing}调慢{value:g}%",
    "room": "让{thing}打扫{value}",
    "HassVacuumPause": "暂停{thing}",
    "HassStopMoving": "停住{thing}",
    "speed": "把{thing}风速调到{value:g}%",
    "seconds": "开始{value:g}分钟计时",
}
_TABLES = {"en": _EN, "zh-CN": _ZH}
_ASKED = {"en": "Shall I {sentence}?", "zh-CN": "要{sentence}吗？"}
_AND = {"en": " and ", "zh-CN": "，再"}
_OR = {"en": "Shall I {one}, or {other}?", "zh-CN": "要{one}，还是{other}？"}
_THINGS = {"en": " and ", "zh-CN": "和"}
_MOST_NAMED = 4
"""Devices that are named one by one; of more, the last ones are counted."""
_OTHERS = {"en": "{count} other devices", "zh-CN": "其他{count}个设备"}
WHICH = {"en": "Which device do you mean?", "zh-CN": "您指的是哪个设备？"}
"""Question if the intent is clear but the entity is not."""
HOW_MUCH = {"en": "To what value?", "zh-CN": "调到多少？"}
"""Question if the value is missing or out of range."""
_MISSING = {
    "en": "There is no {thing} in this home. Which device do you mean?",
    "zh-CN": "家里没有{thing}。您指的是哪个设备？",
}
_LATER = {
    "en": "I can only do that at once. Shall I {sentence} now?",
    "zh-CN": "我只能马上执行。要现在{sentence}吗？",
}


def canonical(action: Action, entities: Sequence[Entity], language: str) -> str:
    """The action as a plain command, without a full stop."""
    table, thing = _TABLES[language], _things(entities, language)
    return _plain(action, entities, table, thing) + _when(action.when, language)


def _plain(action: Action, entities: Sequence[Entity], table: Mapping[str, str], thing: str) -> str:
    if action.parameter is not None:
        name, value = named_value(action.parameter)
        if not isinstance(value, str) and value < 0:
            name, value = f"less {name}", -value
        if name == "seconds" and not isinstance(value, str):
            value = value / 60
        return table[name].format(thing=thing, value=value)
    domain = entities[0].domain if entities else ""
    plain = table.get(f"{action.intent} {domain}") or table.get(action.intent)
    if plain:
        return plain.format(thing=thing)
    words = action.intent.removeprefix("Hass")
    return " ".join(part for part in (words, thing) if part)


def question(actions: Sequence[Action], home: Mapping[str, Entity], language: str) -> str:
    """The question whether to do some actions, one after another."""
    return _ASKED[language].format(sentence=_sentence(actions, home, language))


def either(one: Action, other: Action, home: Mapping[str, Entity], language: str) -> str:
    """The question which of two actions to do."""
    said = (_sentence([action], home, language) for action in (one, other))
    return _OR[language].format(one=next(said), other=next(said))


def at_once(actions: Sequence[Action], home: Mapping[str, Entity], language: str) -> str:
    """The question whether to do at once what was asked for later."""
    now = [Action(one.intent, one.entity, one.parameter, one.entities) for one in actions]
    return _LATER[language].format(sentence=_sentence(now, home, language))


def no_such(thing: str, language: str) -> str:
    """The question which device is meant if the home has not the one that was named."""
    return _MISSING[language].format(thing=thing)


def _sentence(actions: Sequence[Action], home: Mapping[str, Entity], language: str) -> str:
    said = [
        canonical(action, [home[id] for id in action.entities if id in home], language)
        for action in actions
    ]
    return _AND[language].join(said)


def _things(entities: Sequence[Entity], language: str) -> str:
    said = [_thing(entity, language) for entity in entities]
    if len(said) > _MOST_NAMED:
        others = _OTHERS[language].format(count=len(said) - _MOST_NAMED + 1)
        said = [*said[: _MOST_NAMED - 1], others]
    return _THINGS[language].join(said)


def _thing(entity: Entity, language: str) -> str:
    if language == "zh-CN":
        inside = entity.room and not entity.name.startswith(entity.room)
        return f"{entity.room}的{entity.name}" if inside else entity.name
    inside = entity.room and not entity.name.casefold().startswith(entity.room.casefold())
    bare = entity.name.removeprefix("the ")
    return f"the {bare} in the {entity.room}" if inside else f"the {bare}"


def _when(when: When, language: str) -> str:
    """The time of an action in words; empty for at once."""
    if when.now:
        return ""
    if language == "zh-CN":
        parts = [f"{when.after_s}秒后" if when.after_s else "", "每天" if when.daily else ""]
        parts += ["明天" if when.in_days else "", f"{when.at:%H:%M}" if when.at else ""]
        parts += [f"持续{when.for_s}秒" if when.for_s else "", when.said]
        return "，" + "".join(part for part in parts if part)
    parts = [f"in {_span(when.after_s)}" if when.after_s else ""]
    parts += [f"at {when.at:%H:%M}" if when.at else "", "tomorrow" if when.in_days else ""]
    parts += ["every day" if when.daily else "", f"for {_span(when.for_s)}" if when.for_s else ""]
    return " " + " ".join(part for part in (*parts, when.said) if part)


def _span(seconds: int) -> str:
    if seconds % 60:
        return f"{seconds} seconds"
    return f"{seconds // 60} minutes" if seconds != 60 else "1 minute"
