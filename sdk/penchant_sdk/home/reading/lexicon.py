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
_COMPOSED = ("grade", "excess")
"""Categories of adjectives, from which phrases are made: see `_graded`."""
_MORE = ("再", "更", "更加", "稍微", "稍微再")
_WAYS = (
    *("再", "更", "更加", "调", "弄", "变", "搞", "整", "调得", "变得", "弄得", "稍微", "稍微再"),
    *("再调", "调整", "开", "做", "再弄"),
)
_DEGREES = ("点", "一点", "一点点", "些", "一些", "点儿", "一点儿", "一丢丢", "一格")
_TOO = (
    "太",
    "好",
    "很",
    "有点",
    "有点儿",
    "有些",
    "这么",
    "那么",
    "过于",
    "过",
    "特别",
    "非常",
    "真",
)
_NOT_TOO = ("这么", "那么", "太", "如此", "过于")
_DO_NOT = ("别", "不要", "不用", "没必要", "不需要", "无需", "不必", "别让它", "不想")
_SHADES = (
    *("dark", "deep", "bright", "pale", "soft", "neon", "pastel", "vivid", "hot", "cool", "rich"),
    *("electric", "dim", "warm", "nice", "pretty", "lovely", "faint", "subtle", "medium", "strong"),
)
"""Words before a colour that make it no other one."""
_DARKENING = (("make", "it"), ("make",), ("be",), ("go",), ("get",))
"""Verbs that dark makes verbs of switching off, unless a colour follows: be dark green."""
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
        said = "|".join(groups.get("kelvin", {}).values())
        whites = {stems(phrase, language) for phrase in said.split("|") if phrase}
        for phrase, way in _graded(groups.get("grade", {}), groups.get("excess", {})):
            found[stems(phrase, language)] = {Feature("rel", way)}
        for category, meanings in groups.items():
            if category in _COMPOSED:
                continue
            for meaning, phrases in meanings.items():
                for phrase in phrases.split("|"):
                    for form in _forms(phrase, category, language):
                        if category == "colour" and form in whites:
                            continue
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


def _graded(wishes: Mapping[str, str], complaints: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Phrases of Chinese adjectives, and the change that each asks for.

    An adjective of degree asks for more of it (再亮一点), one of excess for less (太亮, 别这么亮),
    and one of want for more (不够亮).

    Args:
        wishes: adjectives by the change that they ask for, such as brightness+.
        complaints: those of them that are also said of what is too much.
    """
    for way, adjectives in wishes.items():
        for adjective in adjectives.split("|"):
            yield from ((f"{one}{adjective}", way) for one in _WAYS)
            yield from ((f"{adjective}{much}", way) for much in _DEGREES)
            yield from ((f"{one}{adjective}{much}", way) for one in _MORE for much in _DEGREES)
    for way, adjectives in complaints.items():
        other = f"{way[:-1]}{'-' if way[-1] == '+' else '+'}"
        for adjective in adjectives.split("|"):
            yield from ((f"{too}{adjective}", other) for too in _TOO)
            yield from ((f"{no}{too}{adjective}", other) for no in _DO_NOT for too in _NOT_TOO)
            yield from ((f"{no}{adjective}", way) for no in ("不够", "不太", "不怎么", "不是很"))


def _forms(phrase: str, category: str, language: str) -> Iterator[tuple[str, ...]]:
    words = stems(phrase, language)
    yield words
    if language == "en" and category == "colour":
        yield from ((shade, *words) for shade in _SHADES)
        yield from ((*verb, "dark", *words) for verb in _DARKENING)
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
