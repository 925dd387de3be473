"""Reads questions about the home: is the lamp on, how warm is it in here.

How warm it is, with no device and no place named, may be asked about the weather, so it is asked
back.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from penchant_sdk.home.reading.clauses import Clause, gather
from penchant_sdk.home.reading.commands import Command, Reading
from penchant_sdk.home.reading.grounding import grounded
from penchant_sdk.home.reading.home_words import HomeWords
from penchant_sdk.home.reading.marks import Mark
from penchant_sdk.home.reading.stance import commands_too, is_general
from penchant_sdk.home.reading.state_questions import asks_state, common_domain

STATE, TEMPERATURE = "HassGetState", "HassClimateGetTemperature"
READ = (STATE, TEMPERATURE)
_INDOORS = ("inside", "indoor", "indoors", "室", "屋", "家", "房")
"""Words and characters of a place that is the home."""


def read_query(
    marks: Sequence[Mark], home: HomeWords, understood: int, slips: int, room: str
) -> Reading:
    """What a question asks about the state of something in the home.

    Args:
        marks: the marks of the sentence.
        home: the home's words.
        understood: number of parts that mean something.
        slips: letters that were corrected.
        room: the speaker's room. Empty: unknown.
    """
    clause = gather(marks)
    warm = "temperature" in clause.quantities
    kind = "thermostat" if warm and not clause.named else ""
    unknown = clause.unknown
    nothing = Reading(refused="asked", unknown=unknown, understood=understood)
    if not (clause.targeted or kind) or is_general(marks) or clause.later or clause.whens:
        return nothing
    if commands_too(marks) or _asks_how_it_may_be(marks) or _asks_of_a_place(clause, marks):
        return nothing
    found = grounded(clause, kind, home, room)
    if found.missing and (not clause.named or clause.kinds == ("speaker",)):
        return nothing
    if found.missing:
        return Reading((Command("", missing=found.missing),), "", unknown, understood)
    if not found.choices or not asks_state(marks, found, clause) or unknown:
        return nothing
    if _asks_elsewhere(marks, clause, common_domain(found.choices[0])):
        return nothing
    felt = any(one.startswith("temperature") for one in (*clause.rels, *clause.adjectives))
    warm = (warm or felt) and common_domain(found.choices[0]) == "climate"
    doubts = ("target",) if warm and not _is_indoors(clause, marks) else ()
    command = Command(TEMPERATURE if warm else STATE, found.choices[:1], doubts=doubts)
    return Reading((command,), "", unknown, understood, slips=slips)


def _asks_how_it_may_be(marks: Sequence[Mark]) -> bool:
    """Whether it asks for what can be, or for an amount: how bright can it go, how much is left."""
    texts = [mark.text for mark in marks[:4]]
    modal = any(
        one.has("question") and two.text in ("can", "could", "should", "will", "would", "do")
        for one, two in pairwise(marks[:4])
    )
    return modal or "how much" in " ".join(texts) or "how many" in " ".join(texts)


def _asks_of_a_place(clause: Clause, marks: Sequence[Mark]) -> bool:
    """Whether it asks what no device of a place tells: is my house clean."""
    if clause.named or clause.quantities or clause.groups == ("everything",):
        return False
    told = any(
        one.startswith(("brightness", "temperature")) for one in (*clause.rels, *clause.adjectives)
    )
    switched = any(mark.has("particle") or mark.has("result") for mark in marks)
    return not (told or switched or (clause.ops and not {*clause.ops} <= {"clean"}))


def _asks_elsewhere(marks: Sequence[Mark], clause: Clause, domain: str) -> bool:
    """Whether it asks where something is that never moves, or whether a place is open."""
    said = {mark.text for mark in marks}
    where = said & {"where is", "where", "在哪", "在哪里", "在哪儿"}
    opened = said & {"open", "closed", "shut"} and domain in ("light", "switch", "fan", "climate")
    return bool(where and domain not in _MOVING) or bool(opened and not clause.named)


_MOVING = ("vacuum", "lawn_mower")


def _is_indoors(clause: Clause, marks: Sequence[Mark]) -> bool:
    """Whether a question names a device or a place of the home."""
    placed = clause.named or clause.rooms or clause.floors or clause.here or clause.groups
    return bool(placed) or any(one in mark.text for mark in marks for one in _INDOORS)
