"""Free phrasing, written by hand for Penchant: things people say instead of a command.

Home Assistant's templates hold only commands. Each row has an intent, its domain, the direction of
a value's change (`up`, `down` or empty), sentences to train on and to compare with, and sentences
only to measure with. They are few, and by one author: a figure on them is no more than a hint.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IntentPhrases:
    """Hand-written phrases of one meaning."""

    intent: str
    domain: str
    change: str
    trained: tuple[str, ...]
    """Phrases to train on."""
    measured: tuple[str, ...]
    """Phrases only to measure with."""


def _row(meaning: str, trained: str, measured: str) -> IntentPhrases:
    """Parses `intent domain change`, and phrases separated by bars."""
    intent, domain, change = [*meaning.split(), "", ""][:3]
    return IntentPhrases(
        intent,
        domain if domain != "-" else "",
        change,
        tuple(text.strip() for text in trained.split("|")),
        tuple(text.strip() for text in measured.split("|")),
    )


_EN = (
    _row(
        "HassTurnOn light",
        "it's too dark in here|I can't see anything|we need some light|it's dark in this room"
        "|I can hardly see my hands|give me some light please",
        "it is so dark|I can't see what I'm doing|could we have some light in here",
    ),
    _row(
        "HassTurnOff light",
        "nobody needs the light any more|make it dark, I'm going to sleep|time to sleep, lights out"
        "|we don't need any light here",
        "I'm going to bed, make it dark|there's no need for the light now",
    ),
    _row(
        "HassLightSet light down",
        "it's too bright in here|the light is blinding me|make it cosy in here|a bit less light"
        "|dim it a little|softer light please",
        "this light is far too bright|make the light softer|it's blinding, less light",
    ),
    _row(
        "HassLightSet light up",
        "a bit more light|make it brighter|brighter please|I need more light to read",
        "more light please|could it be a bit brighter",
    ),
    _row(
        "HassClimateSetTemperature climate up",
        "I'm freezing|it's cold in here|I am cold|make it warmer in here|a bit warmer please"
        "|it's chilly",
        "I'm so cold|it is freezing in this room|could it be warmer",
    ),
    _row(
        "HassClimateSetTemperature climate down",
        "it's too hot in here|I'm sweating|make it cooler|it's boiling in this room|I am too warm",
        "I'm boiling|it is much too hot|could it be cooler in here",
    ),
    _row(
        "HassTurnOn cover",
        "let some daylight in|I want to see the sun|I'd like to look outside|let the sun in",
        "let the daylight into the room|I want to look out of the window",
    ),
    _row(
        "HassTurnOff cover",
        "the sun is in my eyes|I don't want the neighbours to look in|keep the sun out"
        "|people can see us from the street",
        "the sun is blinding me through the window|nobody should look in from outside",
    ),
    _row(
        "HassTurnOn fan",
        "the air in here is so stuffy|I need a breeze|get some air moving|there is no air in here",
        "it's stuffy in here|I'd like a bit of a breeze",
    ),
    _row(
        "HassTurnOff fan",
        "there's a draught in here|too much wind in here|stop blowing air at me",
        "stop that wind|there is too much of a draught",
    ),
    _row(
        "HassSetVolumeRelative media_player down",
        "that's way too loud|I can't hear myself think|not so loud|a bit quieter please",
        "it's too loud|please be quieter|the music is too loud for me",
    ),
    _row(
        "HassSetVolumeRelative media_player up",
        "I can't hear the music|it's too quiet|a bit louder please|I can hardly hear it",
        "make it louder|the film is too quiet",
    ),
    _row(
        "HassMediaPause media_player",
        "hold the music for a second|stop the film, I need a break|silence for a moment",
        "stop the music for a moment|hold the film please",
    ),
    _row(
        "HassMediaUnpause media_player",
        "go on with the music|carry on with the film|keep playing",
        "go on playing|carry on with the music",
    ),
    _row(
        "HassMediaNext media_player",
        "I don't like this song|something else please|not this one again, another song",
        "another song please|I can't stand this song",
    ),
    _row(
        "HassVacuumCleanArea vacuum",
        "there are crumbs everywhere|the floor is dirty in here|this room needs a clean"
        "|I spilled flour on the floor",
        "the floor is full of crumbs|it's dirty in here",
    ),
    _row(
        "HassTurnOn lock",
        "make sure nobody can get in|we're leaving, secure the house|nobody should come in",
        "make sure no one gets into the house|secure the door, we are leaving",
    ),
    _row(
        "HassTurnOff lock",
        "let the plumber in|my friend is at the door, let her in|I'm home, let me in",
        "let my brother in|someone is at the door, let them in",
    ),
    _row(
        "HassGetCurrentTime -",
        "how late is it|is it late already|do you have the time",
        "how late is it now|tell me how late it is",
    ),
    _row(
        "HassNevermind -",
        "forget it|forget what I said|don't do anything|it was nothing",
        "oh forget it|please do nothing",
    ),
)
_ZH = (
    _row(
        "HassTurnOn light",
        "这里太暗了|我什么都看不见|屋里好黑|给我一点光|太黑了看不清",
        "这里好暗|黑得看不见|房间太黑了",
    ),
    _row(
        "HassTurnOff light",
        "我要睡觉了|不需要灯光了|准备睡觉，弄黑一点|没人用灯了",
        "要睡了，别亮着了|现在不用灯了",
    ),
    _row(
        "HassLightSet light down",
        "太亮了|灯光刺眼|光线柔和一点|暗一点|调暗一些",
        "这里太亮了|灯太刺眼了|再暗一点",
    ),
    _row(
        "HassLightSet light up",
        "亮一点|再亮一些|光线不够亮|我要看书，亮一点",
        "能不能亮一些|再亮点",
    ),
    _row(
        "HassClimateSetTemperature climate up",
        "我好冷|这里太冷了|冻死了|暖和一点|有点凉",
        "太冷了|我觉得冷|能暖和一些吗",
    ),
    _row(
        "HassClimateSetTemperature climate down",
        "我好热|这里太热了|热死了|凉快一点|我在出汗",
        "太热了|我觉得热|能凉快一些吗",
    ),
    _row("HassTurnOn cover", "让阳光进来|我想看看外面|想晒太阳", "让太阳照进来|想看外面的风景"),
    _row(
        "HassTurnOff cover",
        "阳光太刺眼|外面能看到里面|太阳晒到我了",
        "太阳晒眼睛|不想让邻居看到里面",
    ),
    _row("HassTurnOn fan", "空气好闷|想吹吹风|这里不通风", "太闷了|我想吹风"),
    _row("HassTurnOff fan", "风太大了|别吹我了|吹得我头疼", "风好大|不要再吹了"),
    _row(
        "HassSetVolumeRelative media_player down",
        "太吵了|声音太大了|小声一点|安静一点",
        "吵死了|声音小点",
    ),
    _row("HassSetVolumeRelative media_player up", "听不见|声音太小了|大声一点", "听不清|声音大点"),
    _row("HassMediaPause media_player", "先别放了|音乐停一下|等一下再放", "先停一下音乐|别放了"),
    _row("HassMediaUnpause media_player", "接着放|继续听|接着播", "继续放|接着听"),
    _row("HassMediaNext media_player", "不喜欢这首|换一首|换首歌", "这首不好听|换一首歌"),
    _row("HassVacuumCleanArea vacuum", "地上好脏|到处都是灰尘|地板该扫了", "地很脏|地上都是面包屑"),
    _row(
        "HassTurnOn lock",
        "别让人进来|我们要出门了，锁好|确保没人能进来",
        "不要让别人进来|出门了锁好",
    ),
    _row(
        "HassTurnOff lock",
        "让我进去|朋友到门口了，让他进来|我到家了",
        "让客人进来|我回来了让我进门",
    ),
    _row("HassGetCurrentTime -", "现在多晚了|很晚了吗", "已经多晚了"),
    _row("HassNevermind -", "当我没说|什么都不用做|不用管了", "别管了|当我没讲"),
)
PHRASES: dict[str, tuple[IntentPhrases, ...]] = {"en": _EN, "zh-CN": _ZH}
"""Phrases by language."""
