"""Words for devices, for more and less, and for values, one table for each language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one language."""

    devices: Mapping[str, tuple[str, ...]]
    """Words by domain, or by domain and device class as in cover.garage; the longest word wins."""
    up: tuple[str, ...]
    """Words that ask for more of something."""
    down: tuple[str, ...]
    """Words that ask for less of something."""
    kelvin: Mapping[str, int]
    """Colour temperatures by name."""
    colours: Mapping[str, str]
    """English names of colours by their name in this language."""
    percent: Mapping[str, int]
    """Levels in percent by name."""
    spaced: bool
    """Whether the language separates words by spaces."""

    def device(self, text: str) -> str:
        """Domain, or domain and class, of the longest device word in the text; empty if none."""
        found = [
            (len(word), kind)
            for kind, words in self.devices.items()
            for word in words
            if self.holds(text, word)
        ]
        return max(found)[1] if found else ""

    def change(self, text: str) -> str:
        """`up`, `down`, or empty if the text asks for neither or for both."""
        rises = any(self.holds(text, word) for word in self.up)
        falls = any(self.holds(text, word) for word in self.down)
        return "" if rises == falls else "up" if rises else "down"

    def value(self, text: str, names: Mapping[str, int]) -> int | None:
        """The value of the longest name in the text; None if the text contains none."""
        found = [(len(name), value) for name, value in names.items() if self.holds(text, name)]
        return max(found)[1] if found else None

    def colour(self, text: str) -> str:
        """English name of a colour in the text; empty if there is none."""
        return next((out for word, out in self.colours.items() if self.holds(text, word)), "")

    def holds(self, text: str, word: str) -> bool:
        """Whether a case-folded text contains a word; a whole word if the language has spaces."""
        if not self.spaced:
            return word in text
        return re.search(rf"(?<!\w){re.escape(word)}(?:e?s)?(?!\w)", text) is not None


_EN = Words(
    devices={
        "light": ("light", "lamp", "lighting", "bulb", "brightness"),
        "fan": ("fan", "ventilator"),
        "climate": ("thermostat", "heating", "temperature", "air conditioning", "ac", "radiator"),
        "cover": ("shade", "cover"),
        "cover.blind": ("blind",),
        "cover.curtain": ("curtain",),
        "cover.shutter": ("shutter",),
        "cover.awning": ("awning",),
        "cover.garage": ("garage door",),
        "cover.gate": ("gate",),
        "cover.window": ("window",),
        "media_player": ("music", "tv", "volume", "song", "film", "speaker", "television"),
        "lock": ("lock", "unlock", "door"),
        "valve": ("valve", "water", "sprinkler"),
        "vacuum": ("vacuum", "hoover"),
        "switch": ("switch", "socket", "plug"),
        "alarm_control_panel": ("alarm",),
    },
    up=("up", "more", "brighter", "warmer", "louder", "higher", "hotter", "increase", "raise"),
    down=(
        "down",
        "less",
        "dimmer",
        "dim",
        "darker",
        "cooler",
        "colder",
        "quieter",
        "lower",
        "softer",
        "decrease",
    ),
    kelvin={
        "candle light": 1900,
        "warm": 2700,
        "warm white": 2700,
        "neutral white": 3500,
        "cool white": 4000,
        "cold white": 4000,
        "cold": 4000,
        "daylight": 6500,
    },
    colours={
        name: name
        for name in (
            *("white", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown"),
            "turquoise",
        )
    },
    percent={
        "half": 50,
        "halfway": 50,
        "quarter": 25,
        "full": 100,
        "max": 100,
        "maximum": 100,
        "min": 1,
        "minimum": 1,
    },
    spaced=True,
)
_ZH = Words(
    devices={
        "light": ("灯", "灯光", "亮度", "光线"),
        "fan": ("风扇", "电扇", "吊扇"),
        "climate": ("空调", "恒温器", "暖气", "温度", "地暖"),
        "cover.blind": ("百叶窗", "百叶帘", "卷帘"),
        "cover.curtain": ("窗帘",),
        "cover.awning": ("遮阳蓬", "雨棚"),
        "cover.garage": ("车库门",),
        "cover.gate": ("大门", "铁门"),
        "cover.window": ("窗户",),
        "media_player": ("音乐", "电视", "音量", "声音", "歌", "音箱"),
        "lock": ("锁", "门"),
        "valve": ("阀",),
        "vacuum": ("扫地",),
        "switch": ("开关", "插座", "电源"),
        "alarm_control_panel": ("警报", "报警"),
    },
    up=("高", "大", "亮", "暖", "热一点", "增加"),
    down=("低", "小", "暗", "凉", "冷一点", "减少", "柔和"),
    kelvin={"烛光": 1900, "暖白": 2700, "暖光": 2700, "冷白": 4000, "冷光": 4000, "日光": 6500},
    colours={
        "白色": "white",
        "红色": "red",
        "橙色": "orange",
        "黄色": "yellow",
        "绿色": "green",
        "蓝色": "blue",
        "紫色": "purple",
        "粉色": "pink",
        "棕色": "brown",
        "青绿色": "turquoise",
    },
    percent={"一半": 50, "最亮": 100, "最暗": 1, "最高": 100, "最低": 1, "最大": 100, "最小": 1},
    spaced=False,
)
WORDS: Mapping[str, Words] = {"en": _EN, "zh-CN": _ZH}
"""The words of each language."""
