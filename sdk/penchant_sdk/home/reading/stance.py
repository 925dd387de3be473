"""What a whole sentence is: a question, a report, something past, taken back or conditional."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from penchant_sdk.home.reading.marks import END, NUMBER, TIME, UNKNOWN, Mark


def means_something(mark: Mark) -> bool:
    """Whether a part names a device, a place, a verb or a value."""
    categories = ("op", "rel", "entity", "kind", "room", "noroom", NUMBER, "colour", "kelvin")
    return any(mark.has(category) for category in categories)


def unknown_words(marks: Sequence[Mark]) -> tuple[str, ...]:
    """The parts without a meaning."""
    return tuple(mark.text for mark in marks if mark.has(UNKNOWN))


def _first(marks: Sequence[Mark]) -> Mark | None:
    """The first mark that is no courtesy."""
    return next((mark for mark in marks if not (mark.has("courtesy") or mark.has(END))), None)


def refusal(marks: Sequence[Mark]) -> str:
    """Why a sentence is no command: reported, past or asked; empty if nothing says so."""
    for place, mark in enumerate(marks):
        if mark.text in ("tell", "ask") and _names_next(marks, place):
            continue
        if mark.has("entity") or (mark.has("op") and not mark.has("past")):
            continue
        if mark.has("report"):
            return "reported"
        if mark.has("past"):
            return "past"
        if mark.has("ask"):
            return "asked"
    return ""


def _names_next(marks: Sequence[Mark], place: int) -> bool:
    """Whether a device is told to do something: tell the vacuum to start."""
    after = [mark for mark in marks[place + 1 :] if mark.text not in ("the", "my", "our")]
    return bool(after) and (after[0].has("entity") or after[0].has("kind"))


def is_query(marks: Sequence[Mark], language: str) -> bool:
    """Whether a sentence asks how things are; "could you turn it on?" does not."""
    if language == "zh-CN":
        asked = any(
            mark.has("question") and not (mark.text in _FINAL and _goes_on(marks, place))
            for place, mark in enumerate(marks)
        )
        verbal = any(mark.has(one) for mark in marks for one in ("op", "rel", "neutral"))
        polite = verbal and any(mark.has("polite") or mark.text in ("把", "将") for mark in marks)
        return asked and not polite
    first = _first(marks)
    return first is not None and first.has("question") and not first.has("op")


_FINAL = ("呢", "没", "没有")
"""Chinese words that ask only at the end of a clause."""


def _goes_on(marks: Sequence[Mark], place: int) -> bool:
    """Whether a device or a verb follows in the sentence."""
    return any(means_something(one) for one in marks[place + 1 :])


def commands_too(marks: Sequence[Mark]) -> bool:
    """Whether a question goes on with a command: is it on, and turn it off."""
    joints = [place for place, mark in enumerate(marks) if mark.has("conj") or mark.has(END)]
    return any(
        one.has("neutral") or (one.has("op") and not one.has("entity"))
        for place in joints
        for one in marks[place + 1 :]
    )


_MAKING = ("make sure", "ensure", "see to it", "see that")
"""How a clause begins that says what to bring about."""


_SUBJECTS = frozenset(
    (
        *("i", "we", "he", "she", "they", "i am", "i will", "we are", "we will", "he is", "she is"),
        *("they are", "they will", "us", "somebody", "someone", "people"),
    )
)
_AUXILIARIES = frozenset(
    (
        *("am", "are", "is", "was", "were", "will", "can", "could", "have", "has", "had", "just"),
        *("always", "already", "usually", "often", "do", "does", "did", "going to", "about", "to"),
        *("might", "may", "must", "sometimes", "also", "still", "only", "now", "been", "busy"),
        *("finished", "done", "about to", "able to", "never", "myself", "going", "be", "being"),
    )
)
_MOVING = ("op", "neutral", "particle")
_CHANGING = frozenset(
    (
        *("turn", "increase", "raise", "boost", "lower", "reduce", "decrease", "dim", "brighten"),
        *("darken", "soften", "lighten", "intensify", "crank", "bump", "tone", "fade", "bring"),
        *(
            "put",
            "take",
            "cut",
            "dial",
            "light",
            "make",
            "give",
            "shine",
            "tone",
            "get",
            "ramp",
            "step",
            "warm",
            "heat",
            "cool",
            "slow",
            "speed",
        ),
        *("dimming", "turning", "lowering", "raising", "brightening", "lift", "up", "amp", "drop"),
    )
)
_GENERAL = re.compile(
    r"^(?:can|could|do|does|will|would|may) (?:smart |robot |most |some |all |many )*\w{3,}s "
    r"(?!be\b|go\b|become\b|have\b|you\b|turn (?:to )?[a-z]+$)\w"
    r"|^(?:smart |modern |old |new |most |some |many |robot )*\w{3,}s (?:can|could|will|may|might) "
    r"(?!you\b|be\b|go\b|get\b|we\b|i\b)\w"
)
"""Questions and statements about any such things: can robots clean; smart homes can dim lights."""
_DOES_ZH = re.compile(
    "^(?:我|我们|俺|他|她|他们|她们|人们|机器人们?|有人)(?:自己|们)?"
    "(?:会|在|正在|可以|来|就|刚|已经|先|去|总是|每天|总|没有|没|忘了|忘记|都能|都会|把|将|从不|从来)"
    "|^(?:我|他|她)能(?!不能|否)"
    "|(?:妈妈?|爸爸?|老婆|老公|老师|老板|奶奶|爷爷|朋友|孩子|他|她|他们)(?:叫|让|要求|吩咐|催|喜欢)"
)


_SAID_TO_ANYBODY = ("lighten up", "brighten up", "cool it", "cool down", "calm down", "chill")


def is_of_any(normal_text: str) -> bool:
    """Whether a sentence is about any such things: can robots clean the floor.

    >>> is_of_any("can robots clean the floor"), is_of_any("can you clean the floor")
    (True, False)
    """
    return bool(_GENERAL.search(normal_text))


def tells_of_doing(marks: Sequence[Mark], normal_text: str) -> bool:
    """Whether a sentence says that somebody does something, or may, so that it is no request.

    "I can turn it off myself" is told; "I need the light on" is asked for.
    """
    if normal_text in _SAID_TO_ANYBODY or is_of_any(normal_text) or _DOES_ZH.search(normal_text):
        return True
    said = [one for one in marks if not ((one.has("courtesy") or one.has(END)) and one.text != "i")]
    if not said or said[0].text not in _SUBJECTS:
        return False
    place = 1
    while place < len(said) and said[place].text in _AUXILIARIES:
        place += 1
    able = any(one.text in ("can", "about", "about to") for one in said[1:place])
    wanting = not able and place < len(said) and said[place].has("want")
    if place == len(said) or wanting or said[place].has("polite"):
        return False
    verb = said[place]
    if verb.has(UNKNOWN):
        return verb.text.endswith("ed")
    changing = verb.has("rel") and verb.text.split()[0] in _CHANGING
    giving = verb.has("supply") and place > 1
    return changing or giving or any(verb.has(one) for one in _MOVING)


_KEEPING = ("keeps", "kept", "went", "turned", "switched", "has", "had", "was", "looks")
"""Words after a device that tell how it behaves."""


def is_statement(marks: Sequence[Mark], language: str) -> bool:
    """Whether it may say or ask how things are without a verb: any windows open; 灯是开着的."""
    if language == "zh-CN":
        told = any(mark.text in ("把", "将") or mark.has("polite") for mark in marks)
        return not told and any(mark.text in ("有", "是") for mark in marks)
    if any(mark.text.startswith(_MAKING) for mark in marks):  # "Make sure that it is off."
        return False
    if [mark.text for mark in marks[:2]] in (["there", "is"], ["there", "are"]):
        return True
    if any(
        two.text in _KEEPING and (one.has("entity") or one.has("kind"))
        for one, two in pairwise(marks)
    ):
        return True
    said = [mark for mark in marks if mark.text not in ("still", "already", "again", "just")]
    if any(
        two.text in ("is", "are") and _is_state(three)
        for one, two, three in zip(said, said[1:], said[2:], strict=False)
        if one.has("entity") or one.has("kind") or one.has("room")
    ):  # "The light is on" may complain, or tell.
        return True
    first = _first(marks)
    named = first is not None and first.text in ("any", "some")
    return named and not any(mark.has("op") for mark in marks)


def _is_state(mark: Mark) -> bool:
    """Whether a word after "is" tells a state: on, dimmed, running."""
    continuing = mark.has("op") and mark.text.split()[0].endswith("ing")
    return continuing or any(mark.has(way) for way in ("particle", "participle", "result"))


def is_general(marks: Sequence[Mark]) -> bool:
    """Whether it asks about any such thing, not about one of the home: what is a smart plug."""
    return any(
        one.text in ("a", "an", "best", "most")
        and (two.has("entity") or two.has("kind") or two.has("room"))
        for one, two in pairwise(marks)
    )


def without_correction(marks: list[Mark]) -> tuple[list[Mark], bool]:
    """The marks with what the speaker took back replaced: on the lamp, no, the fan."""
    for place in range(len(marks) - 1, 0, -1):
        mark = marks[place]
        before, after = marks[:place], marks[place + 1 :]
        if not mark.has("correction") or not any(
            means_something(one) or one.has("particle") for one in before
        ):
            continue
        if not any(
            means_something(one) or one.has("particle") or one.has(TIME) or one.has("neg")
            for one in after
        ):
            if mark.has("undo"):
                return before, True
            continue
        said = {category for one in after for category in _slots(one)}
        kept = [one for one in before if not (_slots(one) & said)]
        return [*kept, *after], True
    return marks, False


def _slots(mark: Mark) -> set[str]:
    target = (
        {"target"} if mark.has("entity") or mark.has("kind") or mark.has("room") else set[str]()
    )
    if mark.has("op") or mark.has("particle") or mark.has("rel"):
        target.add("verb")
    if mark.has(NUMBER) or mark.has("colour") or mark.has("kelvin"):
        target.add("value")
    if mark.has(TIME):
        target.add("time")
    return target


def without_condition(marks: list[Mark], language: str) -> tuple[list[Mark], str]:
    """The marks without a condition, and its words: when I get home."""
    for place, mark in enumerate(marks):
        if mark.has("reason"):
            return [*marks[:place], *(one for one in marks[place:] if one.has("time"))], ""
        if not mark.has("cond"):
            continue
        end = place + 1
        while end < len(marks) and not (
            marks[end].has(END) or marks[end].has("conj") or _begins(marks, end)
        ):
            end += 1
        words = marks[place:end]
        if language == "zh-CN":
            start, stop = place, end
            then = (n for n in range(place + 1, len(marks)) if marks[n].text[0] in _THEN)
            stop = next(then, end)
            if mark.text in _AFTERWARDS:
                start, stop = _clause_start(marks, place), place + 1
            words = marks[start:stop]
            return [*marks[:start], *marks[stop:]], "".join(one.text for one in words)
        return [*marks[:place], *marks[end:]], " ".join(one.text for one in words)
    return marks, ""


_THEN = ("再", "就", "才")
"""Words with which the consequence of a condition begins."""
_AFTERWARDS = ("的时候", "之后", "以后", "时", "完", "后", "之前", "前")
"""Conjunctions that stand after their clause."""


def _clause_start(marks: Sequence[Mark], place: int) -> int:
    while place > 0 and not marks[place - 1].has(END):
        place -= 1
    return place


def _begins(marks: Sequence[Mark], place: int) -> bool:
    """Whether a command begins at a mark: a verb, with a device after it."""
    mark = marks[place]
    verbal = (mark.has("op") or mark.has("neutral") or mark.has("rel")) and not mark.has("filler")
    target = any(one.has("entity") or one.has("kind") for one in marks[place + 1 : place + 6])
    return verbal and target
