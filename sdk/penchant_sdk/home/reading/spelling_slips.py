"""Corrects misspelt words to those that a home knows: kichen, pecent, bed side.

>>> Speller({"bedside", "lamp"}, {"bed", "side"}).corrected(["bed", "side", "lmap"])
(['bedside', 'lamp'], 1)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import pairwise

from penchant_sdk.home.reading.spoken_text import stem

_SHORTEST = 4
"""Shorter words are taken as they are."""
_NAME = 6
"""Letters of the shortest word of a name for which another real word may stand."""
_REAL = 4
"""Letters that a real word counts for that stands for another: enough to ask."""
_LONG = 8
"""Words of this length on may have two letters wrong."""


_COMMON = frozenset(("turn", "light", "switch", "make", "dim", "change", "start", "vacuum"))
"""Words that are meant rather than others as near to a slip."""


class Speller:
    """Finds the known word that a misspelt one stands for."""

    def __init__(
        self,
        vocabulary: Collection[str],
        real: Collection[str],
        names: Collection[str] = (),
        forms: Collection[tuple[str, ...]] = (),
    ) -> None:
        """Indexes words by what is left of them without one letter.

        Args:
            vocabulary: words that the home knows, as `stem` has them.
            real: other words of the language, which are never corrected.
            names: words of names and kinds, which may be written together: bedroomlight.
            forms: names of two words or more.
        """
        self._pairs: dict[str, set[str]] = {}
        for form in forms:
            for one, two in pairwise(form):
                self._pairs.setdefault(two, set()).add(one)
        self._vocabulary = frozenset(vocabulary)
        self._names = frozenset(names)
        self._real = frozenset(real)
        self._index: dict[str, list[str]] = {}
        for word in self._vocabulary:
            if len(word) >= _SHORTEST - 1 and word.isalpha():
                for rest in _without_a_letter(word):
                    self._index.setdefault(rest, []).append(word)

    def corrected(self, words: list[str]) -> tuple[list[str], int]:
        """The words with misspelt ones corrected, and how many letters were changed."""
        out: list[str] = []
        changed, place = 0, 0
        while place < len(words):
            word, after = words[place], words[place + 1] if place + 1 < len(words) else ""
            if self._is_split(word, after):
                out.append(stem(word + after))
                place += 2
                continue
            place += 1
            meant = self._beside(word, after)
            if meant:
                out.append(meant)
                changed += _REAL
                continue
            if len(word) < _SHORTEST or not word.isalpha() or self._is_known(word):
                out.append(word)
                continue
            best, off = self._nearest(stem(word))
            parts = self._parts(word)
            if parts and off != 1:
                out.extend(parts)
            else:
                out.append(best or word)
                changed += off if is_likely_slip(stem(word), best) else _REAL
        return out, changed

    def _beside(self, word: str, after: str) -> str:
        """The word of a name for a real word before the name's next one: beside lamp."""
        if len(word) < _NAME or stem(after) not in self._pairs or not self._is_known(word):
            return ""
        firsts = self._pairs[stem(after)]
        near = [one for one in firsts if edits(word, one, 1) <= 1]
        return near[0] if len(near) == 1 and word not in firsts and len(near[0]) >= _NAME else ""

    def _is_known(self, word: str) -> bool:
        return any(one in self._vocabulary or one in self._real for one in (word, stem(word)))

    def _is_split(self, word: str, after: str) -> bool:
        """Whether two words are one that the home knows, with a space too many: bed side."""
        if not (word.isalpha() and after.isalpha()) or len(word) + len(after) < 6:
            return False
        apart = stem(word) in self._vocabulary and stem(after) in self._vocabulary
        return stem(word + after) in self._vocabulary and not apart

    def _parts(self, word: str) -> tuple[str, ...]:
        """Two known words that were written as one: bedroomlight."""
        for cut in range(3, len(word) - 2):
            if word[:cut] in self._names and stem(word[cut:]) in self._names:
                return word[:cut], word[cut:]
        return ()

    def _nearest(self, word: str) -> tuple[str, int]:
        """The nearest known word and how many letters are wrong; empty and 0 if it is unclear."""
        most = 2 if len(word) >= _LONG else 1
        near = {known for rest in _without_a_letter(word) for known in self._index.get(rest, ())}
        found = [(off, known) for known in near if (off := edits(word, known, most)) <= most]
        if not found:
            return "", 0
        least = min(found)[0]
        nearest = [known for off, known in found if off == least]
        likely = [known for known in nearest if sorted(known) == sorted(word)] or nearest
        likely = [known for known in likely if known[0] == word[0]] or likely
        likely = [known for known in likely if known in _COMMON] or likely
        return (likely[0], least) if len(likely) == 1 else ("", 0)


_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_PLACES = {letter: (row, at) for row, keys in enumerate(_ROWS) for at, letter in enumerate(keys)}
_ALIKE = ("aeiouy", "ckq", "sz", "fv", "dt", "bp", "gj", "mn")
"""Letters that are heard alike."""
_CERTAIN = 6
"""Letters of the shortest word in which one letter may be heard as another."""


def is_likely_slip(word: str, meant: str) -> bool:
    """Whether a word is likely another one misspelt, not a word of its own.

    A letter that stands for another is a slip if the two keys are neighbours, or, in a longer word,
    if the two sound alike; letters left out, doubled or swapped always are.

    >>> is_likely_slip("lanp", "lamp"), is_likely_slip("sleeper", "sweeper")
    (True, False)
    """
    wrong = [(one, other) for one, other in zip(word, meant, strict=False) if one != other]
    if len(word) != len(meant) or len(wrong) != 1:
        return True
    one, other = wrong[0]
    if len(word) >= _CERTAIN and any(one in alike and other in alike for alike in _ALIKE):
        return True
    row, at = _PLACES.get(one, (9, 9))
    other_row, other_at = _PLACES.get(other, (-9, -9))
    return abs(row - other_row) <= 1 and abs(at - other_at) <= 1


def _without_a_letter(word: str) -> Iterator[str]:
    yield word
    for place in range(len(word)):
        yield word[:place] + word[place + 1 :]


def edits(one: str, other: str, most: int) -> int:
    """Letters inserted, left out, changed or swapped between two words; above `most`: more.

    >>> edits("lmap", "lamp", 2), edits("kichen", "kitchen", 2), edits("tree", "lamp", 1)
    (1, 1, 2)
    """
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, against in enumerate(other, 1):
            cost = min(
                last[column] + 1, current[column - 1] + 1, last[column - 1] + (letter != against)
            )
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == against:
                cost = min(cost, before_last[column - 2] + 1)
            current.append(cost)
        if min(current) > most:
            return most + 1
        before_last, last = last, current
    return last[-1]
