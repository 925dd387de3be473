"""Marks what each part of a sentence means, by the longest phrases that a home's words have.

>>> from penchant_sdk.home.reading.home_words import HomeWords
>>> marks = mark_up(["dim", "it", "to", "20", "%"], HomeWords("en", ()))
>>> [mark.text for mark in marks], marks[0].values("rel"), marks[3].number
(['dim', 'it', 'to', '20 %'], ('brightness-',), 20.0)
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from penchant_sdk.home.reading.home_words import HomeWords
from penchant_sdk.home.reading.lexicon import Feature
from penchant_sdk.home.reading.spoken_text import stem

UNKNOWN = "unknown"
NUMBER = "number"
TIME = "clock"
END = "end"


_PARTICLES = ("up", "down", "on", "off", "out", "away", "in", "back")
_APART = 8
"""A particle stands at most this many marks after its verb."""
_VERBAL = ("op", "rel", "neutral")


@dataclass(frozen=True, slots=True)
class Mark:
    """A part of a sentence and its possible meanings."""

    text: str
    features: frozenset[Feature]
    number: float | None = None
    """Value, if the part is a number."""
    unit: str = ""
    """Unit of the number: %, degrees, fahrenheit, kelvin or steps. Empty: none."""
    words: int = 1
    """Number of symbols."""
    meanings: Mapping[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)
    """The meanings by category, sorted. They are asked for a thousand times a sentence."""

    def __post_init__(self) -> None:
        """Sorts the meanings."""
        object.__setattr__(self, "meanings", _by_category(self.features))

    def has(self, category: str) -> bool:
        """Whether the part may mean something of a category."""
        return category in self.meanings

    def values(self, category: str) -> tuple[str, ...]:
        """Meanings of the part in a category, sorted."""
        return self.meanings.get(category, ())


@lru_cache(maxsize=4096)
def _by_category(features: frozenset[Feature]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for feature in sorted(features):
        found.setdefault(feature.category, []).append(feature.value)
    return {category: tuple(values) for category, values in found.items()}


def mark_up(words: Sequence[str], home: HomeWords) -> list[Mark]:
    """The marks of a sentence, in order; together they hold all of its symbols.

    Args:
        words: symbols of a normal form, times replaced.
        home: the words that mean something.
    """
    spaced = home.language != "zh-CN"
    keys = [stem(word) if spaced else word for word in words]
    marks: list[Mark] = []
    place = 0
    while place < len(words):
        mark = _phrase(words, keys, place, home)
        number = _number(words[place])
        if number is not None and (mark is None or not mark.has("entity")):
            mark = _measure(words, keys, place, number, home)
        if words[place].startswith("@"):
            mark = Mark(words[place], frozenset({Feature(TIME, words[place][1:])}))
        elif words[place] == ",":
            mark = Mark(",", frozenset({Feature(END, "")}))
        if mark is not None and {one.category for one in mark.features} == {"unit"}:
            mark = dataclasses.replace(mark, features=frozenset({Feature(UNKNOWN, "")}))
        mark = mark or Mark(words[place], frozenset({Feature(UNKNOWN, "")}))
        marks.append(mark)
        place += mark.words
    return _rejoined(_with_participles(_hinted(marks, home), home), home) if spaced else marks


def _hinted(marks: list[Mark], home: HomeWords) -> list[Mark]:
    """The marks with a word that one device alone has in its names, to ask about: bedside on."""
    if any(mark.has("entity") or mark.has("kind") for mark in marks):
        return marks
    meant = {mark.text for mark in marks if mark.has(UNKNOWN)} & {*home.distinctive}
    if len(meant) != 1:
        return marks
    (word,) = meant
    features = frozenset({Feature("entity", home.distinctive[word]), Feature("hint", "")})
    return [
        dataclasses.replace(mark, features=features) if mark.text == word else mark
        for mark in marks
    ]


def _with_participles(marks: list[Mark], home: HomeWords) -> list[Mark]:
    """The marks with participles of what is wished for: I want the lights changed to red."""
    out = list(marks)
    for place, mark in enumerate(marks):
        if not (mark.has(UNKNOWN) and mark.text.endswith("ed")):
            continue
        before = marks[:place]
        target = any(one.has(kind) for one in before for kind in ("entity", "kind", "room"))
        wished = any(one.has(kind) for one in before for kind in _WISHES)
        if not (target and wished):
            continue
        for base in (mark.text[:-2], mark.text[:-1], mark.text[:-3]):
            found = home.phrases.get((base,), frozenset())
            meant = frozenset(means for means in found if means.category in _VERBAL)
            if meant:
                out[place] = dataclasses.replace(mark, features=meant)
                break
    return out


_WISHES = ("want", "neutral", "oblige", "polite")
"""Categories with which a wish is said, for a thing to be done."""


def _rejoined(marks: list[Mark], home: HomeWords) -> list[Mark]:
    """The marks with verbs that have their particle further on: slow the fan down."""
    out = list(marks)
    for place, mark in enumerate(marks):
        if mark.words > 1 or mark.has("entity") or mark.has("kind"):
            continue
        for after in range(place + 2, min(place + _APART, len(marks))):
            one = marks[after]
            if one.has(END) or one.has("conj"):
                break
            if one.text not in _PARTICLES:
                continue
            both = home.phrases.get((stem(mark.text), one.text), frozenset())
            meant = frozenset(means for means in both if means.category in ("op", "rel", "supply"))
            if meant:
                kept = frozenset(means for means in mark.features if means.category == "leave")
                out[place] = dataclasses.replace(mark, features=meant | kept)
                out[after] = dataclasses.replace(one, features=frozenset({Feature("filler", "")}))
            break
    return out


_PRAISING = ("pretty", "very", "too")
"""Words with which light is an adjective, and lights are none."""


def _phrase(words: Sequence[str], keys: Sequence[str], place: int, home: HomeWords) -> Mark | None:
    for end in range(min(len(words), place + home.longest), place, -1):
        features = home.phrases.get(tuple(keys[place:end]), frozenset())
        several = words[place] != keys[place] and end > place + 1  # "Lights up" is no "light up",
        praised = words[end - 1] == "lights" and words[place] in _PRAISING  # nor these "too light".
        if several or praised:
            verbal = any(one.category in _VERBAL for one in features)
            features = frozenset() if verbal else features
        if features:
            joined = " " if home.language != "zh-CN" else ""
            return Mark(joined.join(words[place:end]), features, words=end - place)
    return None


def _number(word: str) -> float | None:
    return float(word) if re.fullmatch(r"-?[0-9]{1,6}(\.[0-9]{1,6})?", word) else None


def _measure(
    words: Sequence[str], keys: Sequence[str], place: int, number: float, home: HomeWords
) -> Mark:
    """A number with the unit that follows it."""
    unit = _phrase(words, keys, place + 1, home) if place + 1 < len(words) else None
    found = unit.values("unit") if unit is not None else []
    taken = unit.words if unit is not None and found else 0
    return Mark(
        " ".join(words[place : place + 1 + taken]),
        frozenset({Feature(NUMBER, "")}),
        number=number,
        unit=found[0] if found else "",
        words=1 + taken,
    )
