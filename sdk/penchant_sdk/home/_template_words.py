"""The words that a template block of Home Assistant can hold, names and numbers included.

hassil matches a sentence as a whole, so a sentence with a word that a block cannot hold does not
match it: "turn on the lamp because I am cold" is none of its sentences.

>>> is_made_of("lights", frozenset({"light", "s"})), is_made_of("because", frozenset({"be"}))
(True, False)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from hassil.expression import Expression, Group, ListReference, RuleReference, TextChunk
from hassil.intents import IntentData, Intents, RangeSlotList, SlotList, TextSlotList

_NUMBERS = frozenset(
    (
        *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
        *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
        *("eighteen", "nineteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy"),
        *("eighty", "ninety", "hundred", "thousand", "million", "and", "point", "minus", "half"),
        *("a", "quarter", "quarters", "third", "thirds", "negative"),
        *"零〇一二三四五六七八九十百千万两半点负分之又个",
        *"0123456789",
    )
)
"""Words and digits of spoken numbers."""


class Unbounded(Exception):
    """A template takes any text, such as the name of a song."""


def words_in(text: str, *, spaced: bool) -> list[str]:
    """The words of a text; where words are not spaced, and in numbers, its characters."""
    words = re.findall(r"\d|[^\W\d_]+", text.casefold())
    return words if spaced else [letter for word in words for letter in word]


def words_of(
    data: IntentData, intents: Intents, lists: Mapping[str, SlotList], *, spaced: bool
) -> frozenset[str] | None:
    """The words of a block's sentences; None if any text can be in them.

    Args:
        data: the block.
        intents: what it belongs to.
        lists: the home's names, rooms and floors.
        spaced: whether the language puts spaces between its words.
    """
    rules = {**intents.expansion_rules, **data.expansion_rules}
    known = {**intents.slot_lists, **lists, **data.slot_lists}
    found: set[str] = set()
    seen: set[tuple[type[Expression], str]] = set()

    def texts(expression: Expression) -> Iterator[str]:
        match expression:
            case TextChunk():
                yield expression.text
            case Group():
                for item in expression.items:
                    yield from texts(item)
            case RuleReference():
                rule = expression.rule_name
                if (RuleReference, rule) not in seen:  # A list may have the same name.
                    seen.add((RuleReference, rule))
                    if rule not in rules:
                        raise Unbounded
                    yield from texts(rules[rule].expression)
            case ListReference():
                yield from listed(expression)
            case _:
                raise Unbounded

    def listed(reference: ListReference) -> Iterator[str]:
        if (ListReference, reference.list_name) in seen:
            return
        seen.add((ListReference, reference.list_name))
        values = known.get(reference.list_name)
        if isinstance(values, TextSlotList):
            for value in values.values:
                yield from texts(value.text_in)
        elif isinstance(values, RangeSlotList) or reference.is_inline_range:
            found.update(_NUMBERS)
        else:
            raise Unbounded

    try:
        for sentence in data.sentences:
            for text in texts(sentence.expression):
                found.update(words_in(text, spaced=spaced))
    except Unbounded:
        return None
    return frozenset(found)


def is_made_of(word: str, pieces: frozenset[str]) -> bool:
    """Whether a word is one of some pieces, or several of them in a row."""
    if word in pieces:
        return True
    ends = [0]
    for end in range(1, len(word) + 1):
        if any(word[start:end] in pieces for start in ends):
            ends.append(end)
    return ends[-1] == len(word)
