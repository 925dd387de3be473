"""The words of a language by what they mean, read from `penchant_sdk/home/lexicon`.

A phrase may mean several things: "vacuum" is a kind of device and a verb.

>>> english = lexicon("en")
>>> sorted(english.phrases[("turn", "on")])
[Feature(category='op', value='on')]
>>> Feature("rel", "brightness-") in english.phrases[("dimming",)]
True
"""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from penchant_sdk.errors import InvalidRequest
from penchant_sdk.home.reading.spoken_text import stem, symbols

LANGUAGES = ("en", "zh-CN")
_INFLECTED = ("op", "neutral", "rel")
"""Categories of verbs, which also occur with the ending -ing."""
Phrases = Mapping[tuple[str, ...], frozenset["Feature"]]


class Feature(NamedTuple):
    """One meaning of a phrase."""

    category: str
    """Group of the lexicon: op, rel, kind, room, filler, ..."""
    value: str
    """Meaning within the group. Empty: the group has only one."""


class Lexicon:
    """The phrases of one language."""

    def __init__(self, language: str, groups: Mapping[str, Mapping[str, str]]) -> None:
        """Takes groups of phrases, separated by bars, by category and meaning."""
        found: dict[tuple[str, ...], set[Feature]] = {}
        for category, meanings in groups.items():
            for meaning, phrases in meanings.items():
                for phrase in phrases.split("|"):
                    for form in _forms(phrase, category, language):
                        found.setdefault(form, set()).add(Feature(category, meaning))
        self.phrases: Phrases = {form: frozenset(means) for form, means in found.items()}
        self.longest = max(len(form) for form in self.phrases)
        self.words = frozenset(word for form in self.phrases for word in form)
        """Every word of every phrase, as `stem` has it."""

    def values(self, category: str) -> frozenset[str]:
        """The meanings of a category."""
        return frozenset(
            means.value
            for features in self.phrases.values()
            for means in features
            if means.category == category
        )


@cache
def lexicon(language: str) -> Lexicon:
    """The words of a language.

    Raises:
        InvalidRequest: there are none.
    """
    file = importlib.resources.files("penchant_sdk.home") / "lexicon" / f"{language}.json"
    if language not in LANGUAGES or not file.is_file():
        raise InvalidRequest(f"language: got {language!r}, expected one of {', '.join(LANGUAGES)}")
    return Lexicon(language, json.loads(file.read_text(encoding="utf-8")))


@cache
def real_words() -> frozenset[str]:
    """Common English words, which are no misspelling of another word.

    They are the whole words in the vocabulary of the tokenizer of all-MiniLM-L6-v2, which its
    authors publish under the Apache License 2.0.
    """
    file = importlib.resources.files("penchant_sdk.home") / "lexicon" / "en-words.txt"
    return frozenset(file.read_text(encoding="utf-8").split())


def stems(phrase: str, language: str) -> tuple[str, ...]:
    """The words of a phrase, each as `stem` has it; in Chinese its characters."""
    words = symbols(phrase, language)
    return tuple(map(stem, words)) if language != "zh-CN" else tuple(words)


def _forms(phrase: str, category: str, language: str) -> Iterator[tuple[str, ...]]:
    words = stems(phrase, language)
    yield words
    if language == "en" and category in _INFLECTED and words[0].isalpha() and len(words[0]) > 2:
        for first in _participles(words[0]):
            yield (first, *words[1:])


def _participles(verb: str) -> Iterator[str]:
    """Forms of a verb that end with -ing: turning, closing, dimming."""
    if verb.endswith("e") and not verb.endswith("ee"):
        yield f"{verb[:-1]}ing"
        return
    yield f"{verb}ing"
    if len(verb) <= 4 and verb[-1] in "bdgmnpt" and verb[-2] in "aeiou":
        yield f"{verb}{verb[-1]}ing"
