"""How many devices a clause speaks of: both lights, the two lamps, all three; 两盏灯.

>>> from penchant_sdk.home.reading.home_words import HomeWords
>>> from penchant_sdk.home.reading.marks import mark_up
>>> home = HomeWords("en", ())
>>> counted(mark_up("turn off the 2 lamps".split(), home))[0]
2
>>> counted(mark_up("dim the lamp to 2 percent".split(), home))[0]
0
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import pairwise

from penchant_sdk.home.reading.lexicon import Feature
from penchant_sdk.home.reading.marks import Mark
from penchant_sdk.home.reading.spoken_text import stem

_MOST = 12
"""More devices than this nobody counts: 50 lights may be a level."""
_VALUED = ("quantity", "toward", "by", "rel", "neutral", "kind", "entity")
"""Categories after which a number is a value, or part of a name."""
_ZH_MEASURES = ("盏", "个", "台", "只", "部", "扇")
SEVERAL = -1
"""The number of 灯都, lights that are more than one."""
_ZH_ALL = ("都", "全", "全都", "全部", "通通", "统统")
_FILLER = frozenset({Feature("filler", "")})


def counted(marks: Sequence[Mark]) -> tuple[int, list[Mark]]:
    """The number of devices that is said, and the marks without it.

    Args:
        marks: the marks of a clause.

    Returns:
        The number, 0 if none is said and `SEVERAL` if it is left open; and the marks.
    """
    said = [int(value) for mark in marks for value in mark.values("count")]
    out = list(marks)
    for place, mark in enumerate(marks):
        number = mark.number
        if number is None or mark.unit or not number.is_integer() or not 2 <= number <= _MOST:
            continue
        if _counts(marks, place):
            said.append(int(number))
            out[place] = dataclasses.replace(mark, features=_FILLER, number=None)
    several = any(two.text in _ZH_ALL and one.has("kind") for one, two in pairwise(marks))
    return (said[-1] if said else SEVERAL if several else 0), out


def _counts(marks: Sequence[Mark], place: int) -> bool:
    """Whether a number counts the devices that follow it, or all that are meant."""
    before = marks[place - 1] if place else None
    if before is not None and before.has("group"):  # "All three."
        return True
    after = next((one for one in marks[place + 1 :] if not _is_between(one)), None)
    if after is None or not (after.has("kind") or after.has("entity")):
        return False
    if not after.text.isascii():
        return place + 1 < len(marks) and marks[place + 1].text in _ZH_MEASURES
    last = after.text.split()[-1]
    valued = before is not None and any(before.has(one) for one in _VALUED[:3])
    return stem(last) != last and not valued


def _is_between(mark: Mark) -> bool:
    """Whether a word stands between a number and what it counts: three of the lamps; 三盏灯."""
    if mark.text in _ZH_MEASURES or mark.text in ("of", "the", "my", "our"):
        return True
    return mark.has("filler") and not any(mark.has(one) for one in ("kind", "entity", "op"))
