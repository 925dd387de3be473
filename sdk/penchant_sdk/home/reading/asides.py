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
_GOVERNING = frozenset(
    (
        "in",
        "of",
        "for",
        "to",
        "on",
        "at",
        "with",
        "by",
        "from",
        "all",
        "near",
        "that",
        "let",
        "make",
    )
)
"""Words after which "my" or "it" begins no clause."""
_TURNS = frozenset(("so", "but", ",", "could", "can", "would", "will", "please", "let"))
"""Words with which a command begins that follows a reason."""
_FIRST = frozenset(
    (
        *("turn", "switch", "put", "set", "open", "close", "shut", "dim", "pause", "start", "make"),
        *("lower", "raise", "brighten", "kill", "cut", "give", "increase", "decrease", "reduce"),
        *("change", "stop", "run", "clean", "brew", "get", "vacuum", "activate", "bring", "soften"),
        *("power", "hoover", "sweep", "darken", "adjust", "prepare"),
    )
)
"""Verbs with which a command begins that follows a reason without a mark between them."""
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
_ZH_ENDS = ("了", "啊", "呀", "啦", ",")
_ZH_VERBS = ("关", "开", "打开", "调", "灯", "亮", "暗")
"""With these a command begins only after the end of a clause."""
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
        if words[place] in _SUBJECTS and words[place - 1] not in _GOVERNING:
            yield list(words[:place])


def _chinese(words: Sequence[str]) -> Iterator[list[str]]:
    text = "".join(words)
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word))
    for place in range(1, len(words)):
        ended = words[place - 1] in _ZH_ENDS and text.startswith(_ZH_VERBS, starts[place])
        if text.startswith(_ZH_BEFORE, starts[place]) or ended:
            yield list(words[place + (words[place] == ",") :])
    for place in range(len(words) - 1, 1, -1):
        if text.startswith(_ZH_AFTER, starts[place]) or words[place] == ",":
            yield list(words[:place])


_DEGREES = frozenset(
    (
        *("dark", "dim", "bright", "cold", "hot", "warm", "loud", "quiet", "much", "many", "very"),
        *("gloomy", "dirty", "dusty", "messy", "strong", "harsh", "dull", "stuffy", "freezing"),
    )
)
"""Words of which so only says how much."""


def tells_first(words: Sequence[str]) -> bool:
    """Whether an English sentence tells something, and then gives its command: ..., so dim it."""
    told = {"is", "are", "am", "was", "has", "have", "will", "had", "feel", "know", "says", "said"}
    told |= {"about", "going", "starting", "coming", "need", "want", "got", "getting"}
    for place, word in enumerate(words[1:-1], 1):
        head = words[:place]
        if word == "so" and words[place + 1] not in _DEGREES and told & {*head}:
            return True
        begins = word in (",", "please") and (
            words[place + 1] in _FIRST or words[place + 1 : place + 3] in _ASKING
        )
        if begins and head[0] in _TELLERS and {"is", "are", "am"} & {*head}:
            return True
    return False


_ASKING = (["can", "you"], ["could", "you"], ["would", "you"], ["will", "you"])
_TELLERS = frozenset(("my", "it", "the", "there", "this", "that", "i", "we"))


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


def in_its_room(part: Sequence[str], aside: Sequence[Mark], home: HomeWords) -> list[str]:
    """A command in the one room that other words of its sentence name, if they name one."""
    rooms = {value for mark in aside for value in mark.values("room")}
    if len(rooms) != 1:
        return list(part)
    (room,) = rooms
    spaced = home.language != "zh-CN"
    return [*part, "in", "the", *room.split()] if spaced else [*room, *part]


_SPEECH = frozenset(
    (
        *("say", "says", "said", "told", "tell", "tells", "ask", "asks", "asked", "think", "mean"),
        *("说", "讲", "问", "告诉", "他说", "她说", "听说", "据说"),
    )
)
"""Words after a command that somebody else said, or that is doubted."""


def _is_unable(marks: Sequence[Mark]) -> bool:
    """Whether words tell what somebody cannot do: I can't find my keys."""
    texts = [mark.text for mark in marks if not mark.has("courtesy")]
    if texts[:1] == ["can not"]:  # "Can't read my book, ..."
        return True
    return len(texts) > 1 and texts[0] in ("i", "we") and texts[1] == "can not"


def changes(marks: Sequence[Mark], *, told: bool, before: bool) -> bool:
    """Whether words may change what a command beside them means, so that none may be left out."""
    kinds = ["except", "cond", "undo", "correction", "leave"]
    if not before and _SPEECH & {
        word for mark in marks for word in (mark.text, *mark.text.split())
    }:
        return True
    if not told:
        kinds += ["report", "past", "ask"] if before else []
        unable = before and _is_unable(marks)
        if (before and not unable) or any(mark.has("op") or mark.has("pronoun") for mark in marks):
            kinds += ["neg", "unneeded"]
    told = any(mark.has(one) for mark in marks for one in kinds)
    timed = any(mark.has(TIME) or mark.has("time") for mark in marks)
    return told or timed or any(mark.has("refuse") for mark in marks)


_FINITE = frozenset(
    (
        *("is", "are", "am", "was", "has", "have", "had", "want", "need", "like", "feel", "feels"),
        *("can", "will", "would", "hurt", "hurts", "got", "get", "go", "going", "think", "need"),
        *("love", "seems", "looks", "keep", "keeps", "forgot", "just", "do", "does", "did", "been"),
        *(
            "seem",
            "look",
            "hurting",
            "bothering",
            "ache",
            "makes",
            "needs",
            "wants",
            "gets",
            "left",
            "came",
            "must",
            "should",
            "could",
            "know",
        ),
    )
)
"""Verbs of clauses that tell why."""
_UNFINISHED = frozenset(
    (
        *("to", "you", "we", "they", "he", "she", "i", "the", "a", "an", "my", "of", "and", "or"),
        *("not", "who", "that", "which", "will", "would", "should", "must", "did", "never", "no"),
        *("when", "if", "unless", "until", "before", "after", "by", "with", "from", "do", "does"),
        *(
            "can",
            "could",
            "may",
            "might",
            "let",
            "go",
            "help",
            "let us",
            "them",
            "him",
            "her",
            "me",
        ),
    )
)
"""Words after which a verb is no request, because the clause before it is not at its end."""
_QUOTED = frozenset(
    (
        *("song", "lyrics", "goes", "called", "title", "titled", "named", "quote", "sentence"),
        *("phrase", "word", "words", "reads", "heard", "hear", "sign", "joke", "story", "game"),
        *("when", "if", "who", "whoever", "someone", "somebody", "how", "why", "what", "play"),
        *("never", "hate", "hates", "always", "sometimes", "used", "forbid", "refuse"),
    )
)
"""Words beside a command with which it may be quoted, or not wanted."""
_NOUNS = frozenset(
    (
        *("vacuum", "power", "hoover", "run", "stop", "start", "change", "clean"),
        *("cut", "close", "open", "pause", "brew", "sweep", "set", "get"),
    )
)
"""Verbs that may be something else without a mark before them."""
_ASKS = frozenset(("did", "does", "do", "has", "have", "is", "are", "was", "were", "should"))
"""Words with which a question begins: did anyone turn it off."""
_ZH_REASONS = frozenset("说讲唱写叫问听歌词想如若假谁为")
"""Characters beside a Chinese command with which it may be quoted, or put as a condition."""
_ZH_MARKED = ("把", "请", "帮", "麻", "快", "给", "打", "关", "开", "调", "灯")
"""Characters with which a Chinese command begins that follows a reason."""
_AFTER_COMMANDS = frozenset(
    (
        *("i", "we", "it", "my", "there", "because", "cos", "cause", "since"),
        *("我", "太", "因", "眼", "耳", "孩", "宝", "客"),
    )
)
"""Words with which a mere reason begins that follows a command."""


def is_mere_reason(
    marks: Sequence[Mark], rest: Sequence[str], part: Sequence[str], *, before: bool
) -> bool:
    """Whether words beside a command only say why, so that the command needs no question.

    Args:
        marks: the marks of the words beside it.
        rest: those words, in which `changes` found nothing.
        part: the words of the command.
        before: whether they stand before it.
    """
    said = {*rest}
    if before and rest[0] in _ASKS and "," not in rest:
        return False
    spaced = part[0].isascii() or rest[0].isascii()
    if said & _QUOTED or (spaced and not said & _FINITE):
        return False
    if any(mark.has("kind") or mark.has("entity") for mark in marks) and any(
        (mark.has("op") or mark.has("neutral")) and not mark.has("kind") for mark in marks
    ):
        return False  # It may be a command of its own.
    if _ZH_REASONS & said:
        return False
    if not before:
        return rest[0] in _AFTER_COMMANDS
    if not part[0].isascii():
        ended = rest[-1] in ("了", ",", "啊", "呀", "呢") or any(mark.has("rel") for mark in marks)
        return part[0] in _ZH_MARKED and ended
    last = next((word for word in reversed(rest) if word not in ("so", "but", ",")), "")
    closed = rest[-1] in ("so", "but", ",") or part[0] in ("please", "can", "could", "would")
    return last not in _UNFINISHED and (closed or part[0] in _FIRST - _NOUNS)


_EXPLICIT = re.compile(
    r"\b(?:turn|switch|make|set|put|get|start|stop|open|close|dim|brighten|heat|cool|warm|raise|lower"
    r"|increase|reduce|more|less|[a-z]+er)\b|把|调|开|关|设|一点|点$|一些|些$"
)


def is_explicit(said: str) -> bool:
    """Whether a sentence says what to do."""
    return bool(_EXPLICIT.search(said))
