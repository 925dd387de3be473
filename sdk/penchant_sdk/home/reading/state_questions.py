"""Whether a question is about a state that the devices of a home have: is the lamp on."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from penchant_sdk.home.reading.clauses import Clause
from penchant_sdk.home.reading.commands import Choice
from penchant_sdk.home.reading.grounding import Grounded
from penchant_sdk.home.reading.marks import NUMBER, Mark


def common_domain(choice: Choice) -> str:
    """The domain of a set of entities; switch if they differ."""
    domains = {entity.domain for entity in choice}
    return domains.pop() if len(domains) == 1 else "switch"


_STATES = ("op", "particle", "rel", "adj", "participle", "state", NUMBER)


QUANTITIES = {
    "light": ("brightness", "colour", "kelvin", "level"),
    "climate": ("temperature", "level"),
    "fan": ("speed", "level"),
    "media_player": ("volume", "level"),
    "cover": ("position", "level"),
    "humidifier": ("humidity", "level"),
}


_ASKED_AT = ("on", "at", "to", "up to", "set at", "on at", "doing", "up")
"""Last words of a question for a state: what is the heating on."""


def asks_state(marks: Sequence[Mark], found: Grounded, clause: Clause) -> bool:
    """Whether a question is about a state that the devices have."""
    own = QUANTITIES.get(common_domain(found.choices[0]), ())
    shown = any(
        (one.text == "on" and two.has("entity")) or (one.text == "on" and two.has("kind"))
        for one, two in pairwise([mark for mark in marks if mark.text != "the"])
    )
    if (
        shown and not clause.quantities and common_domain(found.choices[0]) == "media_player"
    ):  # "Is anything good on tv?"
        return False
    if any(one not in own for one in clause.quantities):
        return False
    if any("status" in mark.text for mark in marks):
        return True
    what = any(mark.text in ("what is", "what are", "what") for mark in marks[:3])
    if what and not clause.quantities and marks[-1].text in _ASKED_AT and not shown:
        return True
    if what and not clause.quantities:
        return any(mark.text in ("set", "state of", "doing") for mark in marks)
    if clause.quantities:
        return True
    return any(mark.has(one) for mark in marks for one in _STATES if not mark.has("kind"))
