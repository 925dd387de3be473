"""Resolves a template's frame to the home's entities, the most likely first.

>>> home = [
...     Entity("light.ceiling", "ceiling light", room="kitchen"),
...     Entity("light.floor", "floor lamp", room="office"),
... ]
>>> [entity.id for entity in targets(Frame("HassTurnOn", kind="light"), home, "office")]
['light.floor']
"""

from __future__ import annotations

from collections.abc import Sequence

from penchant_sdk.home._actions import GROUPED, PLAIN, intents_of
from penchant_sdk.home._frames import Frame
from penchant_sdk.home.reading.commands import Command
from penchant_sdk.home.types import TIMER, Entity

_KINDS = {
    "HassClimate": "climate",
    "HassLightSet": "light",
    "HassSetVolume": "media_player",
    "HassMedia": "media_player",
    "HassFan": "fan",
    "HassSetPosition": "cover",
    "HassVacuum": "vacuum",
    "HassLawnMower": "lawn_mower",
    "HassList": "todo",
}


def targets(frame: Frame, entities: Sequence[Entity], room: str) -> list[Entity]:
    """Entities that a frame may mean, in the nearest place only.

    A named entity takes precedence over a kind of device, and a named room over the speaker's room.
    Without any room, a kind of device resolves only if the home has a single entity of that kind.

    Args:
        frame: the frame of the sentence.
        entities: the home's entities, in order of registration.
        room: the speaker's room. Empty: unknown.
    """
    able = [one for one in entities if frame.intent in intents_of(one)]
    if frame.intent.endswith("Timer") or frame.intent in ("HassCancelAllTimers", "HassTimerStatus"):
        return [TIMER]
    if frame.name:
        pool = [one for one in able if frame.name in (one.name, *one.aliases)]
        alone = pool
    else:
        kind = frame.kind or next(
            (kind for head, kind in _KINDS.items() if frame.intent.startswith(head)), ""
        )
        pool = [one for one in able if kind and _is_of(one, kind)]
        alone = pool if len(pool) == 1 else []
    if frame.room:
        return [one for one in pool if one.room == frame.room]
    if frame.floor:
        return [one for one in pool if one.floor == frame.floor]
    here = [one for one in pool if room and one.room == room]
    return here or alone


def command_of(frame: Frame, entities: Sequence[Entity], room: str) -> Command:
    """The command of a template's frame; all devices of a kind in a room are one choice."""
    if frame.intent in PLAIN:
        return Command(frame.intent, plain=True)
    found = targets(frame, entities, room)
    alone = tuple((entity,) for entity in found)
    together = not frame.name and len({one.domain for one in found}) == 1 and len(found) > 1
    choices = (tuple(found), *alone) if together and found[0].domain in GROUPED else alone
    change = {"up": 1, "down": -1}.get(frame.change, 0)
    valued = frame.parameter is not None
    played = frame.intent.startswith("HassMedia") and not (frame.name or frame.room)
    doubts = ("target",) if played else ()  # "Stop" may be said to anybody.
    return Command(
        frame.intent, choices, frame.parameter, frame.valueless, change, valued, doubts=doubts
    )


def _is_of(entity: Entity, kind: str) -> bool:
    domain, _, device_class = kind.partition(".")
    if entity.domain != domain:
        return False
    return not device_class or entity.device_class == device_class
