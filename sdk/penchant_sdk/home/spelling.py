"""Chinese characters spelt for an encoder whose vocabulary has few of them.

The vocabulary of all-MiniLM-L6-v2 is English: most Chinese characters are one and the same unknown
token. So each is written as two pairs of letters, its place in Unicode, which the vocabulary has;
what they mean, fine-tuning teaches.

    >>> spelt("开 light"), spelt("turn on the light")
    ('bg lk light', 'turn on the light')
"""

from __future__ import annotations

_FIRST, _LAST = "\u4e00", "\u9fff"


def spelt(text: str) -> str:
    """The text with each Chinese character as two words of two letters."""
    parts = (_pairs(one) if _FIRST <= one <= _LAST else one for one in text)
    return " ".join("".join(parts).split())


def _pairs(character: str) -> str:
    high, low = divmod(ord(character) - ord(_FIRST), 26 * 26)
    return f" {_letters(26 + high)} {_letters(low)} "


def _letters(number: int) -> str:
    return chr(ord("a") + number // 26) + chr(ord("a") + number % 26)
