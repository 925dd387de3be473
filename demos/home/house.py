"""The entities of the demo's home, in English and in Chinese."""

from __future__ import annotations

from penchant_sdk.home import Entity

LANGUAGES = {"en": "English", "zh-CN": "Chinese"}
"""Languages of the demo's home."""

_EN = (
    Entity("light.ceiling", "ceiling light", room="living room", floor="ground"),
    Entity("light.floor_lamp", "floor lamp", room="living room", floor="ground"),
    Entity("cover.curtains", "curtains", room="living room", device_class="curtain"),
    Entity("climate.living", "thermostat", room="living room", floor="ground"),
    Entity("media_player.tv", "TV", room="living room", floor="ground"),
    Entity("light.kitchen", "kitchen light", room="kitchen", floor="ground"),
    Entity("switch.oven", "oven", room="kitchen", floor="ground"),
    Entity("switch.coffee", "coffee machine", room="kitchen", floor="ground"),
    Entity("light.bedside", "bedside lamp", room="bedroom", floor="first"),
    Entity("fan.bedroom", "tower fan", room="bedroom", floor="first"),
    Entity("climate.bedroom", "radiator", room="bedroom", floor="first"),
    Entity("vacuum.rosie", "Rosie", room="living room", aliases=("robot vacuum",)),
    Entity("lock.front", "front door"),
    Entity("cover.garage", "garage door", device_class="garage"),
)
_ZH_NAMES = {
    "light.ceiling": ("吊灯", "客厅"),
    "light.floor_lamp": ("落地灯", "客厅"),
    "cover.curtains": ("窗帘", "客厅"),
    "climate.living": ("恒温器", "客厅"),
    "media_player.tv": ("电视", "客厅"),
    "light.kitchen": ("厨房灯", "厨房"),
    "switch.oven": ("烤箱", "厨房"),
    "switch.coffee": ("咖啡机", "厨房"),
    "light.bedside": ("床头灯", "卧室"),
    "fan.bedroom": ("落地扇", "卧室"),
    "climate.bedroom": ("暖气", "卧室"),
    "vacuum.rosie": ("扫地机器人", "客厅"),
    "lock.front": ("前门", ""),
    "cover.garage": ("车库门", ""),
}


def house(language: str) -> tuple[Entity, ...]:
    """The entities with names in a language; the Chinese home has ids of its own."""
    if language == "en":
        return _EN
    return tuple(
        Entity(f"{entity.id}_zh", name, room=room, device_class=entity.device_class)
        for entity in _EN
        for name, room in [_ZH_NAMES[entity.id]]
    )
