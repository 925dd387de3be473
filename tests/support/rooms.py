"""A home of four rooms in two languages, with one of each kind of device, for what people say."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from penchant_sdk.home import Entity, HomeClient, Interpretation
from penchant_sdk.testing import FakePenchant
from tests.support.house import home_server

_G, _U = "ground floor", "upstairs"
HOME_ENTITIES = {
    "en": (
        Entity("light.living", "living room light", "living room", _G, ("lounge light",)),
        Entity("light.bedroom", "bedroom light", "bedroom", _U),
        Entity("light.kitchen", "kitchen light", "kitchen", _G),
        Entity("light.bedside", "bedside lamp", "bedroom", _U, ("night lamp",)),
        Entity("light.all", "all lights"),
        Entity("switch.kettle", "kettle", "kitchen", _G),
        Entity("switch.plug", "smart plug", "living room", _G, ("socket",)),
        Entity("fan.living", "fan", "living room", _G),
        Entity("vacuum.robot", "robot vacuum", "living room", _G, ("hoover",)),
        Entity("climate.heating", "thermostat", "living room", _G, ("heating",)),
        Entity("switch.coffee", "coffee machine", "kitchen", _G),
        Entity("media_player.tv", "tv", "living room", _G),
        Entity("cover.blinds", "blinds", "living room", _G, device_class="blind"),
        Entity("lock.front", "front door", floor=_G),
        Entity("cover.garage", "garage door", device_class="garage"),
        Entity("scene.film", "movie night"),
    ),
    "zh-CN": (
        Entity("light.living", "客厅灯", "客厅", "一楼"),
        Entity("light.bedroom", "卧室灯", "卧室", "二楼"),
        Entity("light.kitchen", "厨房灯", "厨房", "一楼"),
        Entity("light.all", "所有灯"),
        Entity("switch.kettle", "热水壶", "厨房", "一楼"),
        Entity("fan.living", "风扇", "客厅", "一楼"),
        Entity("vacuum.robot", "扫地机器人", "客厅", "一楼"),
        Entity("climate.heating", "空调", "客厅", "一楼"),
        Entity("media_player.tv", "电视", "客厅", "一楼"),
        Entity("cover.blinds", "窗帘", "客厅", "一楼", device_class="blind"),
        Entity("lock.front", "前门"),
        Entity("cover.garage", "车库门", device_class="garage"),
    ),
}
"""The entities by language."""
LIVING = {"en": "living room", "zh-CN": "客厅"}
"""The room in which everything is said."""
NOON = datetime(2026, 1, 5, 12)
"""When everything is said."""


@cache
def rooms_home(language: str, *, schedules: bool = False) -> HomeClient:
    """A client of the registered home on a server of its own."""
    home = HomeClient(FakePenchant(home_server()), language=language, schedules=schedules)
    home.register(HOME_ENTITIES[language])
    return home


def interpreted(text: str, *, schedules: bool = True) -> Interpretation:
    """What the registered home of the text's language makes of it."""
    language = "en" if text.isascii() else "zh-CN"
    home = rooms_home(language, schedules=schedules)
    return home.interpret(text, user="ann", room=LIVING[language], at=NOON)
