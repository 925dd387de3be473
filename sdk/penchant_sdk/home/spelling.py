"""Spells Chinese characters in letters, for an encoder with an English vocabulary.

In the vocabulary of all-MiniLM-L6-v2, most Chinese characters map to the same unknown token. So
each character is written as two pairs of letters that encode its Unicode code point, and the
encoder learns their meaning by fine-tuning.

    >>> spelt("开 light"), spelt("turn on the light")
    ('bg lk light', 'turn on the light')
"""

from __future__ import annotations

_FIRST, _LAST = "\u4e00", "\u9fff"


def spelt(text: str) -> str:
    """The text with each Chinese character replaced by two words of two letters."""
    parts = (_pairs(one) if _FIRST <= one <= _LAST else one for one in text)
    return " ".join("".join(parts).split())


def _pairs(character: str) -> str:
    high, low = divmod(ord(character) - ord(_FIRST), 26 * 26)
    return f" {_letters(26 + high)} {_letters(low)} "


def _letters(number: int) -> str:
    return chr(ord("a") + number // 26) + chr(ord("a") + number % 26)
