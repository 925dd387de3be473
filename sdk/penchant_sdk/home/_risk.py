"""Which actions always need confirmation, whatever their score.

This is an allowlist: an action may be done at once only if its kind of device can do little harm.
Everything else needs confirmation: locks, doors, garages, windows, valves, alarms, ovens, mowers,
scenes and scripts (their content is unknown), unknown kinds, and whatever the owner lists.
"""

from __future__ import annotations

from collections.abc import Collection

from penchant_sdk.home.types import Action, Entity

READS = frozenset(
    {
        "HassClimateGetTemperature",
        "HassGetCurrentDate",
        "HassGetCurrentTime",
        "HassGetState",
        "HassGetWeather",
        "HassNevermind",
        "HassRespond",
        "HassTimerStatus",
    }
)
"""Intents that change nothing."""

_HARMLESS = frozenset({"climate", "fan", "light", "media_player", "timer", "todo", "vacuum"})
_SWITCHES = frozenset({"input_boolean", "switch"})
_CURTAINS = frozenset({"awning", "blind", "curtain", "shade", "shutter"})
_DANGEROUS_NAMES = (
    *("oven", "stove", "hob", "cooker", "grill", "boiler", "sauna", "iron", "furnace", "fireplace"),
    *("gas", "kettle", "fryer", "heater", "saw", "pump", "pool", "charger", "alarm", "siren"),
    *(
        "烤箱",
        "灶",
        "炉",
        "烤",
        "桑拿",
        "熨斗",
        "燃气",
        "煤气",
        "锅",
        "加热",
        "水泵",
        "警报",
        "报警",
    ),
)
_OPENINGS = ("door", "gate", "garage", "lock", "valve", "窗户", "门", "锁", "阀", "车库")


def is_risky(action: Action, entity: Entity | None, listed: Collection[str]) -> bool:
    """Whether an action needs confirmation.

    Args:
        action: the action.
        entity: the action's entity. None: not registered, which is risky for any action that
            changes something.
        listed: the owner's own list: entity ids, names, domains, device classes or rooms, matched
            exactly.

    >>> lamp, door = Entity("light.hall", "hall lamp"), Entity("lock.front", "front door")
    >>> is_risky(Action("HassTurnOn", lamp.id), lamp, ())
    False
    >>> is_risky(Action("HassTurnOff", door.id), door, ())
    True
    """
    if action.intent in READS:
        return False
    if entity is None:
        return True
    owned = {entity.id, entity.domain, entity.device_class, entity.room, entity.name} - {""}
    owned |= set(entity.aliases)
    return bool(owned & set(listed)) or not _may_act(entity)


def _may_act(entity: Entity) -> bool:
    names = " ".join((entity.id, entity.name, *entity.aliases)).casefold()
    if any(word in names for word in _DANGEROUS_NAMES):
        return False
    if entity.domain in _HARMLESS:
        return True
    if entity.domain in _SWITCHES:
        return not any(word in names for word in _OPENINGS)
    # A cover without a device class may be a garage door.
    return (
        entity.domain == "cover"
        and entity.device_class in _CURTAINS
        and not any(word in names for word in _OPENINGS)
    )
