"""Which of the changes and colours that a clause mentions are wished for.

>>> from penchant_sdk.home.reading.home_words import HomeWords
>>> from penchant_sdk.home.reading.marks import mark_up
>>> home = HomeWords("en", ())
>>> list(wished_colours(mark_up("change the light from green to blue".split(), home)))
['blue']
>>> wished_changes(mark_up("turn the light down a bit more".split(), home), ("+", "-"))
('-',)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from penchant_sdk.home.reading.marks import Mark

_LEFT = ("from", "than", "instead of", "not")
"""Words before a colour that is not wished for."""
_MORE = frozenset(("more", "some more"))


def wished_colours(marks: Sequence[Mark]) -> Iterator[str]:
    """Colours that are wished for, if one is said after "from", others than that."""
    for before, mark in pairwise((None, *marks)):
        left = before is not None and before.text in _LEFT
        if mark is not None and not left:
            yield from mark.values("colour")


def wished_changes(marks: Sequence[Mark], rels: tuple[str, ...]) -> tuple[str, ...]:
    """Changes that are said, without a "more" that only says so of another: down a bit more.

    Args:
        marks: the marks of a clause.
        rels: every change that they mention.
    """
    said = [mark.text for mark in marks if "+" in mark.values("rel")]
    turned = any(mark.text in ("up", "down") and mark.has("particle") for mark in marks)
    if said and {*said} <= _MORE and (len(rels) > 1 or turned):
        return tuple(rel for rel in rels if rel != "+")
    return rels
