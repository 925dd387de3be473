"""Resolves a frame to the home's entities, the most likely first.

>>> home = [
...     Entity("light.ceiling", "ceiling light", room="kitchen"),
...     Entity("light.floor", "floor lamp", room="office"),
... ]
>>> [entity.id for entity in targets(Frame("HassTurnOn", kind="light"), home, "office")]
['light.floor']
>>> mentioned("switch the floor lamp off", Frame("HassTurnOff"), home, "en").name
'floor lamp'
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from penchant_sdk.home._actions import intents_of
from penchant_sdk.home._frames import Frame
from penchant_sdk.home._words import WORDS
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


def mentioned(text: str, frame: Frame, entities: Sequence[Entity], language: str) -> Frame:
    """Adds the entity, room, floor and kind of device named in a free text to its frame."""
    folded, words = text.casefold(), WORDS[language]

    def longest(names: set[str]) -> str:
        held = [name for name in names if name and words.holds(folded, name.casefold())]
        return max(held, key=len, default="")

    return dataclasses.replace(
        frame,
        name=longest({name for one in entities for name in (one.name, *one.aliases)}),
        room=longest({one.room for one in entities}),
        floor=longest({one.floor for one in entities}),
        kind=words.device(folded) or frame.kind,
        change=words.change(folded) or frame.change,
    )


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


def _is_of(entity: Entity, kind: str) -> bool:
    domain, _, device_class = kind.partition(".")
    if entity.domain != domain:
        return False
    return not device_class or entity.device_class == device_class
