"""Finds the entities of a clause: by name, by kind and place, or as a group.

>>> from penchant_sdk.home.reading.clauses import Clause
>>> from penchant_sdk.home.types import Entity
>>> bed, desk = Entity("light.bed", "lamp", room="bedroom"), Entity("light.desk", "desk lamp")
>>> found = grounded(Clause(kinds=("light",)), "light", HomeWords("en", (bed, desk)), "bedroom")
>>> [entity.id for entity in found.choices[0]]
['light.bed']
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from penchant_sdk.home.reading.clauses import Clause
from penchant_sdk.home.reading.commands import Choice, Command
from penchant_sdk.home.reading.counting import SEVERAL
from penchant_sdk.home.reading.home_words import DOMAIN_OF, HomeWords
from penchant_sdk.home.types import Entity

_ROAMING = ("vacuum", "lawn_mower")
"""Domains whose devices go to the room that is named, wherever they stand."""
_DRINKS = frozenset(("coffee", "kettle"))
"""Kinds of devices that are wanted here and stand elsewhere: a coffee over here."""
_SWITCHED = ("light", "switch", "fan", "media_player", "input_boolean", "humidifier", "climate")
"""Domains of everything."""


@dataclass(frozen=True, slots=True)
class Grounded:
    """The entities that a clause may mean."""

    choices: tuple[Choice, ...] = ()
    """Possible sets of entities, the most likely first; each is acted on as a whole."""
    missing: str = ""
    """What the clause names and the home has not."""
    doubtful: bool = False
    """Whether the first choice is a guess."""
    areas: tuple[str, ...] = ()
    """Rooms for a device that goes there."""


def grounded(clause: Clause, kind: str, home: HomeWords, room: str) -> Grounded:
    """The entities of a clause.

    Args:
        clause: the evidence.
        kind: kind that the clause implies without naming it. Empty: none.
        home: the home's words.
        room: the speaker's room. Empty: unknown.
    """
    if clause.norooms:
        return Grounded(missing=clause.norooms[0])
    found = _pool(clause, kind, home, room)
    if clause.excluded is None or not found.choices:
        return found
    out = _ids(
        grounded(_everywhere(clause.excluded), kind or "light", home, room),
        clause.excluded,
        home,
        room,
    )
    if not out:
        return dataclasses.replace(found, doubtful=True)
    first = _members(found.choices[0], home)
    kept = tuple(one for one in first if one.id not in out)
    if not kept:
        return Grounded(missing="", doubtful=True)
    return dataclasses.replace(found, choices=(kept,))


def rest_of(before: Sequence[Command], home: HomeWords) -> Grounded:
    """The lights that no command before has named."""
    named = {entity.id for one in before for choice in one.choices[:1] for entity in choice}
    rest = tuple(one for one in home.of_kind("light") if one.id not in named)
    return Grounded((rest,)) if rest and before else Grounded(doubtful=True)


def _ids(found: Grounded, clause: Clause, home: HomeWords, room: str) -> set[str]:
    """Ids of what is left out: a room that is named leaves out all that stands in it."""
    ids = {entity.id for choice in found.choices[:1] for entity in choice}
    if not clause.named:
        rooms = set(clause.rooms) | ({room} if clause.here else set())
        ids |= {
            one.id
            for one in home.entities
            if home.room_of[one.id] in rooms and one.id not in home.groups
        }
    return ids


def _everywhere(clause: Clause) -> Clause:
    return dataclasses.replace(clause, excluded=None)


def _pool(clause: Clause, kind: str, home: HomeWords, room: str) -> Grounded:
    rooms = clause.rooms or (
        (room,)
        if clause.here and room and "home" not in clause.groups and not set(clause.kinds) & _DRINKS
        else ()
    )
    names = _names(clause, home, rooms)
    if names is not None:
        return names
    kinds = clause.kinds or ((kind,) if kind else ())
    if not kinds and ("everything" in clause.groups):
        return _everything(clause, home, rooms)
    if not kinds and (clause.rooms or clause.floors or "home" in clause.groups):
        guess = _pool(dataclasses.replace(clause, kinds=("light",)), "", home, room)
        return dataclasses.replace(guess, doubtful=True)
    if not kinds:
        return Grounded(doubtful=True)
    head = kinds[-1]
    able = home.of_kind(head)
    if not clause.kinds:  # What a clause implies is not found by the names of other devices.
        able = [one for one in able if one.domain == DOMAIN_OF.get(head)] or able
        if not able and head == "speaker":
            able = home.of_kind("tv")
    if len(kinds) > 1:
        both = [one for one in able if set(kinds) <= home.kinds[one.id]]
        able = both or able
    if not able:
        group = _group(head, home)
        return group if group.choices and not rooms else Grounded(missing=_spoken(clause, head))
    return _placed(clause, head, able, home, rooms, room)


def _placed(
    clause: Clause,
    kind: str,
    able: list[Entity],
    home: HomeWords,
    rooms: Sequence[str],
    room: str,
) -> Grounded:
    """The devices of a kind in the place that a clause names, or that its speaker is in."""
    if not able:
        return Grounded(missing=_spoken(clause, kind))
    if able[0].domain in _ROAMING:
        return Grounded(_alone(able), areas=tuple(rooms))
    if clause.count and not clause.names:
        counted = _counted(clause, kind, able, home, rooms, room)
        if not (counted.doubtful and clause.count == SEVERAL):
            return counted
    if rooms:
        there = [one for one in able if home.room_of[one.id] in rooms]
        if not there:
            only = len(able) == 1 and kind not in clause.kinds
            return Grounded(_alone(able)) if only else Grounded(missing=_spoken(clause, kind))
        return Grounded(_choices(clause, there, home))
    if clause.floors:
        there = [one for one in able if one.floor in clause.floors]
        return Grounded((tuple(there),)) if there else Grounded(missing=clause.floors[0])
    if clause.groups:
        group = _group(kind, home)
        everywhere = group.choices or (tuple(able),)
        return Grounded(everywhere)
    if any(word in STANDING for word in clause.words):  # None of the home is called so.
        here = [one for one in able if room and home.room_of[one.id] == room]
        return Grounded(_choices(clause, here or able, home), doubtful=True)
    here = [one for one in able if room and home.room_of[one.id] == room]
    particular = [one for one in able if _is_called(one, clause.words)]
    if len(particular) == 1 and here and particular[0] not in here and not clause.plural:
        return Grounded((*_alone(particular), *_choices(clause, here, home)), doubtful=True)
    if here:
        return Grounded(_choices(clause, here, home))
    if len(able) == 1:
        return Grounded(_alone(able))
    group = _group(kind, home)
    together = group.choices or ((tuple(able),) if clause.plural else ())
    return Grounded((*together, *_alone(able)), doubtful=True)


def _counted(
    clause: Clause,
    kind: str,
    able: list[Entity],
    home: HomeWords,
    rooms: Sequence[str],
    room: str,
) -> Grounded:
    """The devices that a clause counts: those of the room that are so many, or else of the home.

    If the number fits neither, it is asked about.
    """
    if rooms or clause.floors:
        pools = [
            [one for one in able if home.room_of[one.id] in rooms or one.floor in clause.floors]
        ]
    else:
        here = [one for one in able if room and home.room_of[one.id] == room]
        pools = [here, able]
    called = [[one for one in pool if _is_called(one, clause.words)] for pool in pools]
    open_count = clause.count == SEVERAL
    fitting = [
        pool
        for pool in (*called, *pools)
        if len(pool) == clause.count or (open_count and len(pool) > 1)
    ]
    if fitting:
        whole = _group(kind, home) if open_count else Grounded()
        if whole.choices and fitting[0] is pools[-1] and len(pools) > 1:
            return whole
        return Grounded((tuple(fitting[0]),))
    likely = next((pool for pool in pools if pool), able)
    return Grounded(_choices(clause, likely, home), doubtful=True)


def _choices(clause: Clause, there: list[Entity], home: HomeWords) -> tuple[Choice, ...]:
    """All devices of a place, then each alone; those called by the very word alone come first."""
    if len(there) == 1:
        return _alone(there)
    called = [one for one in there if _is_called(one, clause.words)]
    if len(called) == 1 and not clause.groups:
        return (*_alone(called), tuple(there))
    if not clause.plural and not clause.groups:
        main = [one for one in there if home.is_main(one)]
        if len(main) == 1:
            return (*_alone(main), tuple(there), *_alone(one for one in there if one not in main))
    return (tuple(there), *_alone(there))


STANDING = (
    *("bedside lamp", "desk lamp", "floor lamp", "table lamp", "night light", "nightlight"),
    *("reading lamp", "reading light", "fairy lights", "fairy light"),
    *("床头灯", "台灯", "落地灯", "壁灯", "夜灯", "小夜灯", "书桌灯", "彩灯"),
)
"""Lights that stand somewhere in particular, which no other light stands in for."""
_PARTICULAR = ("lamp", "bulb", "chandelier", "spotlight", "spotlights", "strip")
"""Words for some lights only, where light may mean any."""


def _is_called(entity: Entity, words: Sequence[str]) -> bool:
    """Whether a word for some lights only, said in a clause, is in the names of an entity."""
    names = " ".join((entity.name, *entity.aliases)).casefold().split()
    return any(word in _PARTICULAR and word in names for word in words)


def _names(clause: Clause, home: HomeWords, rooms: Sequence[str]) -> Grounded | None:
    """The entities whose names a clause says; None if it says none, or only that of a group."""
    if not clause.names:
        return None
    found: list[Entity] = []
    doubtful = False
    for ids in clause.names:
        named = [home.by_id[id] for id in ids]
        there = [one for one in named if not rooms or home.room_of[one.id] in ("", *rooms)]
        groups = [one for one in named if one.id in home.groups]
        if clause.plural and not groups and len(named) == 1 and home.is_main(named[0]):
            place, kind = home.room_of[named[0].id], next(iter(home.kinds[named[0].id]))
            around = [one for one in home.of_kind(kind) if home.room_of[one.id] == place]
            if place and len(around) > 1:  # The bedroom lights are all of them.
                found += around
                continue
        if groups and (rooms or clause.floors or clause.excluded is not None):
            kind = home.groups[groups[0].id]
            wider = dataclasses.replace(clause, names=(), kinds=(kind,), groups=("all",))
            if clause.excluded is not None and not (rooms or clause.floors):
                found += home.of_kind(kind)
                continue
            able = home.of_kind(kind)
            placed = _placed(wider, kind, able, home, rooms, "")
            if not placed.choices:
                return placed
            found += placed.choices[0]
            continue
        if not there and named[0].domain in _ROAMING:
            return Grounded(_alone(named), areas=tuple(rooms), doubtful=len(named) > 1)
        if not there:  # The fan in the bedroom, where the only fan is elsewhere.
            kinds = home.kinds[named[0].id]
            others = [
                one
                for one in home.entities
                if home.kinds[one.id] & kinds and home.room_of[one.id] in rooms
            ]
            if others:
                found += others
                continue
            if clause.rooms:
                return Grounded(missing=f"{named[0].name} / {clause.rooms[0]}")
            there = named
        doubtful |= len(there) > 1
        found += there[:1]
    if not found:
        return Grounded(doubtful=True)
    extra = [kind for kind in clause.kinds if not any(kind in home.kinds[one.id] for one in found)]
    doubtful |= bool(extra)
    if len(clause.names) == 1 and len(clause.names[0]) > 1 and doubtful:
        return Grounded(_alone([home.by_id[id] for id in clause.names[0]]), doubtful=True)
    areas = tuple(rooms) if found[0].domain in _ROAMING else ()
    return Grounded((tuple(dict.fromkeys(found)),), doubtful=doubtful, areas=areas)


def _everything(clause: Clause, home: HomeWords, rooms: Sequence[str]) -> Grounded:
    every = [
        one
        for one in home.entities
        if one.domain in _SWITCHED
        and one.id not in home.groups
        and (not rooms or home.room_of[one.id] in rooms)
        and (not clause.floors or one.floor in clause.floors)
    ]
    if not every:
        return Grounded(doubtful=True)
    lights = [one for one in every if one.domain == "light"]
    return Grounded((tuple(every), *((tuple(lights),) if lights else ())), doubtful=True)


def _group(kind: str, home: HomeWords) -> Grounded:
    """The entity that stands for all of a kind, if the home has one."""
    whole = [home.by_id[id] for id, of in home.groups.items() if of == kind]
    return Grounded((tuple(whole[:1]),)) if whole else Grounded()


def _members(choice: Choice, home: HomeWords) -> Choice:
    """The single devices of a choice, a group's in place of the group."""
    out: list[Entity] = []
    for one in choice:
        out += home.of_kind(home.groups[one.id]) if one.id in home.groups else [one]
    return tuple(dict.fromkeys(out))


def _alone(entities: Iterable[Entity]) -> tuple[Choice, ...]:
    return tuple((entity,) for entity in entities)


def _spoken(clause: Clause, kind: str) -> str:
    """The kind as the clause calls it, with its room."""
    word = clause.words[-1] if clause.words else kind
    return f"{word} / {clause.rooms[0]}" if clause.rooms else word
