"""Canonical sentences of actions, and the questions to the user, one table for each language.

>>> lock = Entity("lock.front", "front door")
>>> question(Action("HassTurnOff", "lock.front"), lock, "en")
'Shall I unlock the front door?'
>>> canonical(Action("HassTurnOn", "cover.k"), Entity("cover.k", "窗帘", room="厨房"), "zh-CN")
'打开厨房的窗帘'
"""

from __future__ import annotations

from penchant_sdk.home.parameters import VolumeStep, named_value
from penchant_sdk.home.types import Action, Entity

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
    "quieter": "turn the volume of {thing} down by {value:g} percent",
    "speed": "set the speed of {thing} to {value:g} percent",
    "seconds": "start a timer of {value:g} minutes",
}
_ZH = {
    "HassTurnOn": "打开{thing}",
    "HassTurnOff": "关闭{thing}",
    "HassTurnOn lock": "锁上{thing}",
    "HassTurnOff lock": "解锁{thing}",
    "HassGetState": "查看{thing}的状态",
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
    "quieter": "把{thing}音量调低{value:g}%",
    "speed": "把{thing}风速调到{value:g}%",
    "seconds": "开始{value:g}分钟计时",
}
_TABLES = {"en": _EN, "zh-CN": _ZH}
_ASKED = {"en": "Shall I {sentence}?", "zh-CN": "要{sentence}吗？"}
WHICH = {"en": "Which device do you mean?", "zh-CN": "您指的是哪个设备？"}
"""Question if the intent is clear but the entity is not."""
HOW_MUCH = {"en": "To what value?", "zh-CN": "调到多少？"}
"""Question if the value is missing or out of range."""


def canonical(action: Action, entity: Entity | None, language: str) -> str:
    """The action as a plain command, without a full stop."""
    table, thing = _TABLES[language], _thing(entity, language)
    if action.parameter is not None:
        name, value = named_value(action.parameter)
        if isinstance(action.parameter, VolumeStep) and action.parameter.percent < 0:
            name, value = "quieter", -action.parameter.percent
        if name == "seconds" and not isinstance(value, str):
            value = value / 60
        return table[name].format(thing=thing, value=value)
    domain = entity.domain if entity else ""
    plain = table.get(f"{action.intent} {domain}") or table.get(action.intent)
    if plain:
        return plain.format(thing=thing)
    words = action.intent.removeprefix("Hass")
    return " ".join(part for part in (words, thing) if part)


def question(action: Action, entity: Entity | None, language: str) -> str:
    """The question whether to do the action."""
    return _ASKED[language].format(sentence=canonical(action, entity, language))


def _thing(entity: Entity | None, language: str) -> str:
    if entity is None:
        return ""
    if language == "zh-CN":
        return f"{entity.room}的{entity.name}" if entity.room else entity.name
    return f"the {entity.name} in the {entity.room}" if entity.room else f"the {entity.name}"
