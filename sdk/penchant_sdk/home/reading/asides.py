"""Finds the command in a sentence that also says why: the film starts, so dim the lamp.

>>> list(parts_of(["pause", "tv", "i", "need", "the", "loo"], "en"))
[['pause', 'tv']]
>>> list(parts_of(["it", "is", "late", "so", "lights", "off"], "en"))
[['lights', 'off']]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from penchant_sdk.home.reading.home_words import HomeWords
from penchant_sdk.home.reading.marks import TIME, Mark, mark_up

_SUBJECTS = frozenset(
    (
        *("i", "we", "he", "she", "they", "my", "someone", "somebody", "there", "because", "cause"),
        *("mum", "dad", "people", "cos", "since", "baby", "kids", "nobody", "everyone", "it"),
    )
)
"""Words with which a reason begins that follows a command."""
_TURNS = frozenset(("so", "but", ",", "could", "can", "would", "will", "please", "let"))
"""Words with which a command begins that follows a reason."""
_FIRST = frozenset(
    ("turn", "switch", "put", "set", "open", "close", "shut", "dim", "pause", "start")
)
_ZH_AFTER = (
    "我",
    "他",
    "她",
    "快递",
    "孩子",
    "宝宝",
    "有人",
    "别让",
    "因为",
    "客人",
    "外卖",
    "太",
    "好让",
)
_ZH_BEFORE = ("帮我", "帮忙", "把", "请", "给我", "麻烦", "快", "替我", "先", "你", ",")
_SHORTEST = 2


def parts_of(words: Sequence[str], language: str) -> Iterator[list[str]]:
    """Parts of a sentence that may be its command, the likeliest first, the longest first.

    Args:
        words: symbols of a normal form.
        language: en or zh-CN.
    """
    if language == "zh-CN":
        yield from _chinese(words)
        return
    for place, word in enumerate(words):
        last = word in ("so", "but", ",")
        if place and (word in _TURNS or word in _FIRST):
            part = list(words[place + last :])
            if len(part) >= _SHORTEST:
                yield part
    for place in range(len(words) - 1, 1, -1):
        if words[place] in _SUBJECTS:
            yield list(words[:place])


def _chinese(words: Sequence[str]) -> Iterator[list[str]]:
    text = "".join(words)
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word))
    for place in range(1, len(words)):
        if text.startswith(_ZH_BEFORE, starts[place]):
            yield list(words[place + (words[place] == ",") :])
    for place in range(len(words) - 1, 1, -1):
        if text.startswith(_ZH_AFTER, starts[place]) or words[place] == ",":
            yield list(words[:place])


def tells_first(words: Sequence[str]) -> bool:
    """Whether an English sentence tells something before so, and then gives its command."""
    if "so" not in words[1:-1]:
        return False
    head = words[: words.index("so", 1)]
    told = {"is", "are", "am", "was", "has", "have", "will", "had", "feel", "know", "says", "said"}
    told |= {"about", "going", "starting", "coming", "need", "want", "got", "getting"}
    return bool(told & set(head))


def left_over(words: Sequence[str], part: Sequence[str]) -> list[str]:
    """The words before or after a part."""
    rest = len(words) - len(part)
    return list(words[:rest] if list(words[rest:]) == list(part) else words[len(part) :])


_TELLING = frozenset(
    (
        *("is", "are", "am", "was", "has", "have", "been", "left", "i", "we", "he", "she", "they"),
        *("will", "had", "says", "said", "my", "it", "who", "about", "needs", "got"),
        *("我", "他", "她", "你", "了", "着", "有", "是"),
    )
)
"""Words of clauses that tell something."""


def commands_left(marks: Sequence[Mark], words: Sequence[str]) -> bool:
    """Whether words that would be left out may be a command of their own."""
    target = any(mark.has("entity") or mark.has("kind") for mark in marks)
    verbal = any(mark.has(one) for mark in marks for one in ("op", "neutral", "particle", "rel"))
    return target and verbal and not _TELLING & {*words}


def with_name(part: list[str], rest: Sequence[Mark], home: HomeWords) -> list[str]:
    """A part with "it" replaced by the one device that the words before it name."""
    own = [mark for mark in mark_up(part, home) if mark.has("entity") or mark.has("kind")]
    named = {mark.text for mark in rest if mark.has("entity") or mark.has("kind")}
    verbs = all(mark.has("neutral") or mark.has("op") for mark in own)
    if len(named) != 1 or not verbs or home.language != "en":
        return part
    place = next((n for n, word in enumerate(part) if word in ("it", "them", "that", "thing")), -1)
    return part if place < 0 else [*part[:place], *named.pop().split(), *part[place + 1 :]]


_SPEECH = frozenset(
    (
        *("say", "says", "said", "told", "tell", "tells", "ask", "asks", "asked", "think", "mean"),
        *("说", "讲", "问", "告诉", "他说", "她说", "听说", "据说"),
    )
)
"""Words after a command that somebody else said, or that is doubted."""


def changes(marks: Sequence[Mark], *, told: bool, before: bool) -> bool:
    """Whether words may change what a command beside them means, so that none may be left out."""
    kinds = ["except", "cond", "undo", "correction", "leave"]
    if not before and _SPEECH & {
        word for mark in marks for word in (mark.text, *mark.text.split())
    }:
        return True
    if not told:
        kinds += ["report", "past", "ask"] if before else []
        if before or any(mark.has("op") or mark.has("pronoun") for mark in marks):
            kinds += ["neg", "unneeded"]
    told = any(mark.has(one) for mark in marks for one in kinds)
    timed = any(mark.has(TIME) or mark.has("time") for mark in marks)
    return told or timed or any(mark.has("refuse") for mark in marks)


_EXPLICIT = re.compile(
    r"\b(?:turn|switch|make|set|put|get|start|stop|open|close|dim|brighten|heat|cool|warm|raise|lower"
    r"|increase|reduce|more|less|[a-z]+er)\b|把|调|开|关|设|一点|点$|一些|些$"
)


def is_explicit(said: str) -> bool:
    """Whether a sentence says what to do."""
    return bool(_EXPLICIT.search(said))
