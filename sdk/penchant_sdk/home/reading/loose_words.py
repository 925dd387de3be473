"""Words beside a command that names no device, with which it may be about something else.

"Make it brighter" is about the light; "make my day brighter", "you are so bright" and "turn on dark
mode" are not, though a home knows their verbs and passes over the other words. A command that
names a device bears any courtesy; one that names none bears words without content alone.

>>> from penchant_sdk.home.reading.home_words import HomeWords
>>> from penchant_sdk.home.reading.marks import mark_up
>>> home = HomeWords("en", ())
>>> [is_loose(mark_up(said.split(), home), "en") for said in ("dim the mood", "dim it please")]
[True, False]
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from penchant_sdk.home.reading.marks import END, Mark

_VERBAL = ("op", "rel", "neutral", "quantity")
_SAYING = (
    *("op", "rel", "neutral", "particle", "want", "polite", "pronoun", "here", "amount", "by"),
    *("toward", "quantity", "colour", "kelvin", "anycolour", "group", "room", "noroom", "floor"),
    *("oblige", "supply", "conj", "correction", "adj", "unneeded", "count", "power", END),
)
"""Categories of words that a command is made of."""
_FUNCTION = frozenset(
    (
        *("please", "pls", "plz", "kindly", "thanks", "thank", "cheers", "ok", "okay", "hey", "hi"),
        *("hello", "yo", "oi", "right", "then", "well", "now", "just", "immediately", "at", "once"),
        *("straight", "away", "asap", "quick", "quickly", "instantly", "for", "me", "us", "to"),
        *("the", "a", "an", "my", "our", "your", "some", "any", "this", "that", "these", "those"),
        *("it", "them", "there", "here", "in", "of", "by", "with", "from", "into", "is", "are"),
        *("was", "will", "would", "could", "can", "may", "might", "shall", "should", "must"),
        *("really", "very", "quite", "actually", "maybe", "perhaps", "too", "um", "uh", "er"),
        *("erm", "hmm", "ah", "oh", "i", "let", "go", "ahead", "and", "come", "on", "help"),
        *("want", "like", "love", "need", "wish", "mind", "do", "does", "possible", "able", "so"),
        *("kind", "as", "be", "being", "have", "had", "has", "having", "got", "better", "going"),
        *("time", "make", "sure", "see", "ensure", "if", "when", "get", "chance", "favor"),
        *("favour", "also", "already", "again", "more", "properly", "nicely", "gently", "slowly"),
        *("smoothly", "carefully", "try", "attempt", "proceed", "start", "begin", "give", "show"),
        *("over", "round", "around", "up", "appreciate", "prefer", "we", "while", "still", "such"),
        *("room", "place", "house", "floor", "floors", "carpet", "carpets", "rug", "rugs", "tile"),
        *("tiles", "dirt", "mess", "inside", "indoors", "much", "lot", "forget", "not", "use"),
        *("using", "how", "about", "why", "things", "good", "morning", "evening", "whole", "sorry"),
        *(
            "off",
            "out",
            "down",
            "back",
            "all",
            "bring",
            "seeing",
            "set",
            "needs",
            "moment",
            "excuse",
            "rush",
            "possibly",
        ),
        *("light", "lighting", "glow", "touch", "splash", "bit", "little", "burst", "wash"),
    )
)
"""Words without a content of their own, and those for the places of a home."""
_CALLED = frozenset(
    (
        *("sir", "darling", "dear", "honey", "mate", "buddy", "friend", "pal", "assistant", "man"),
        *("bro", "dude", "fam", "boss", "chief", "love", "sweetie", "sweetheart", "babe", "guys"),
        *("everyone", "everybody", "people", "folks", "house", "madam", "machine", "kiddo"),
    )
)
"""Whom a command is said to, at either end of it."""
_OPENINGS = frozenset(("be", "you", "you are", "i am"))
"""First words of what is said to somebody, or of oneself."""
_AMBIGUOUS = frozenset(
    ("softer", "lighter", "gentler", "stronger", "mellow", "cosy", "cozy", "intense", "gentle")
)
"""Adjectives that, alone, may be about anything."""
_NO_DEVICE = frozenset(("dark", "darkness", "light up", "black"))
"""Words that stand for a light in the lexicon, but name none."""
_ZH_SUBJECTS = ("你", "您", "他", "她")


def is_loose(marks: Sequence[Mark], language: str) -> bool:
    """Whether a sentence names no device and holds words that may make it about something else.

    Args:
        marks: the marks of a sentence.
        language: en or zh-CN.
    """
    said = [mark for mark in marks if not mark.has("wake")]
    if any(_names_device(mark) for mark in said):
        return False
    if language == "zh-CN":
        return any(one.text in _ZH_SUBJECTS and two.has("rel") for one, two in pairwise(said))
    if any("mode" in mark.text.split() for mark in said):
        return True
    core = [mark for mark in said if not (mark.has("courtesy") or mark.has(END))]
    if core and (core[0].text in _OPENINGS or (len(core) == 1 and core[0].text in _AMBIGUOUS)):
        return True
    return any(_is_content(said, place) for place in range(len(said)))


def _names_device(mark: Mark) -> bool:
    """Whether a part names a device and is no verb besides: the vacuum, which one vacuums with."""
    if mark.has("entity"):
        return True
    named = mark.has("kind") and mark.text not in _NO_DEVICE
    return named and not any(mark.has(one) for one in _VERBAL)


def _is_content(marks: Sequence[Mark], place: int) -> bool:
    """Whether a word that a command passes over has a content of its own."""
    mark = marks[place]
    if not mark.has("filler") or any(mark.has(one) for one in _SAYING):
        return False
    words = mark.text.split()
    if {*words} <= _FUNCTION or (words[0] in ("for", "to") and len(words) > 1):
        return False
    last = place + 1 == len(marks)
    article = place > 0 and marks[place - 1].text in ("the", "my", "our", "a", "your")
    verb = place > 0 and any(marks[place - 1].has(one) for one in ("op", "neutral"))
    called = {*words} <= _CALLED | _FUNCTION and (place == 0 or (last and not verb))
    return article or not called
