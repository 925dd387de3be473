"""Tells which unknown words of a command change nothing in it: whom it is for, why, and how.

A command is clear when it names a device and says what to do. Words beside it that mean nothing
here may still change it ("the conservatory lights"), so they are passed over only in a place
of the sentence where no target and no value can stand.

>>> from penchant_sdk.home.reading.home_words import HomeWords
>>> from penchant_sdk.home.reading.marks import mark_up
>>> words = "dim the lights immensely for my daughter".split()
>>> [mark.text for mark in without_adjuncts(mark_up(words, HomeWords("en", ())), "en")
...  if mark.has(UNKNOWN)]
[]
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from penchant_sdk.home.reading.lexicon import Feature
from penchant_sdk.home.reading.marks import END, NUMBER, TIME, UNKNOWN, Mark

_PURPOSE = frozenset(("for", "because", "since", "as", "due", "so"))
"""Words with which a reason or a beneficiary begins."""
_INFINITIVE = frozenset(("to", "for me to", "for us to"))
_OBJECTS = ("entity", "kind", "room", "noroom", "floor", "here", "group")
_SAID = ("op", "rel", "particle", "result", "colour", "kelvin", "amount", NUMBER)
_BARRED = (
    *("neg", "except", "cond", "time", "past", "ask", "report", "leave", "leftout", "rest"),
    *("room", "noroom", "floor", "entity", "colour", "kelvin", "rel", "either", NUMBER, TIME),
)
"""Categories that no adjunct holds that may be passed over."""
_MEANINGFUL = frozenset(
    (
        *("hourly", "nightly", "monthly", "yearly", "quarterly", "family", "assembly", "barely"),
        *("hardly", "scarcely", "nearly", "partly", "partially", "temporarily", "previously"),
        *("recently", "lately", "early", "likely", "unlikely", "supposedly", "allegedly", "rarely"),
        *("occasionally", "regularly", "usually", "normally", "frequently", "repeatedly", "belly"),
        *("subsequently", "initially", "conditionally", "alternately", "italy", "july", "supply"),
    )
)
"""Words that end with -ly and are no mere manner."""
_ADVERB = 5
"""Letters of the shortest adverb that is known by its ending."""
_FILLER = frozenset({Feature("filler", "")})


def without_adjuncts(marks: Sequence[Mark], language: str) -> list[Mark]:
    """The marks, with unknown words that cannot change the command turned into filler.

    Args:
        marks: the marks of a sentence.
        language: en or zh-CN. Chinese is left as it is, because its characters are no words.
    """
    if language != "en" or not any(mark.has(UNKNOWN) for mark in marks):
        return list(marks)
    out = [_adverb(mark) for mark in marks]
    _pass_over_purposes(out)
    _pass_over_vocatives(out)
    return out


def _adverb(mark: Mark) -> Mark:
    ends = mark.text.endswith("ly") and len(mark.text) >= _ADVERB and mark.text not in _MEANINGFUL
    return _harmless(mark) if mark.has(UNKNOWN) and ends else mark


def _harmless(mark: Mark) -> Mark:
    return dataclasses.replace(mark, features=_FILLER)


def _pass_over_purposes(marks: list[Mark]) -> None:
    """Passes over whom or what a clear command is for: for my daughter, to create a mood."""
    for place in range(2, len(marks)):
        begins = marks[place].text in _PURPOSE or (
            marks[place].text in _INFINITIVE and place + 1 < len(marks)
        )
        if not begins or not _is_clear(marks[:place], marks[place].text in _INFINITIVE):
            continue
        end = place + 1
        while end < len(marks) and not (marks[end].has(END) or marks[end].has("conj")):
            end += 1
        inner = marks[place + 1 : end]
        if any(mark.has(UNKNOWN) for mark in inner) and not any(
            mark.has(one) for mark in inner for one in _BARRED
        ):
            marks[place:end] = [_harmless(mark) for mark in marks[place:end]]


def _is_clear(marks: Sequence[Mark], infinitive: bool) -> bool:
    """Whether the words so far are a whole command: a target, and what to do with it.

    What follows "to" may be a value after a verb that needs one: change the lights to chartreuse.
    """
    target = any(mark.has(one) for mark in marks for one in _OBJECTS)
    kinds = ("op", "rel", "particle", "result", "colour", "kelvin") if infinitive else _SAID
    said = any(mark.has(one) for mark in marks for one in kinds)
    asked = any(
        mark.has(one)
        for mark in marks
        for one in ("op", "rel", "neutral", "polite", "want")
        if not (mark.has("entity") or mark.has("kind"))
    )
    wanted = not infinitive and any(mark.has("want") for mark in marks)
    return target and asked and (said or wanted)


def _pass_over_vocatives(marks: list[Mark]) -> None:
    """Passes over a name at either end: Sam, turn on the light; turn the light on Sam."""
    first = next((n for n, mark in enumerate(marks) if not _is_courtesy(mark)), len(marks))
    if (
        first + 1 < len(marks)
        and marks[first].has(UNKNOWN)
        and _is_clear(marks[first + 1 :], False)
    ):
        after = marks[first + 1]
        command = after.has("polite") or after.has("op") or after.has("rel") or after.has("neutral")
        plainly = command and not any(after.has(one) for one in (*_OBJECTS, "filler"))
        if after.has(END) or after.has("polite") or plainly:
            marks[first] = _harmless(marks[first])
    if len(marks) > 2 and marks[-1].has(UNKNOWN) and _is_clear(marks[:-1], True):
        before = marks[-2]
        if before.has("particle") or before.has("polite") or before.has(END):
            marks[-1] = _harmless(marks[-1])


def _is_courtesy(mark: Mark) -> bool:
    return mark.has("courtesy") or mark.has(END) or mark.has("wake")


def trimmed(marks: list[Mark]) -> list[Mark]:
    """The marks without what wakes the assistant, and without ends at either side."""
    kept = [mark for mark in marks if not mark.has("wake") or mark.has("op")]
    while kept and kept[0].has(END):
        kept = kept[1:]
    while kept and kept[-1].has(END):
        kept = kept[:-1]
    return kept
