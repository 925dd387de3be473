"""Finds the command in a sentence that also says why: the film starts, so dim the lamp.

>>> list(parts_of(["pause", "tv", "i", "need", "the", "loo"], "en"))
[['pause', 'tv']]
>>> list(parts_of(["it", "is", "late", "so", "lights", "off"], "en"))
[['lights', 'off']]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
