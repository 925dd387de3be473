"""Noisy texts, to measure how robust a ranking is: pure functions of a text and a seed.

The draws for a text depend on that text alone, so adding a text changes no other.
"""

from __future__ import annotations

import zlib

import numpy as np

from penchant.domain.errors import ConfigError

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def with_typos(text: str, rate: float, seed: int) -> str:
    """Replaces, drops, doubles or swaps letters with the next character, all equally often.

    Args:
        text: any text; other characters change only by being swapped with a letter.
        rate: share of the letters that are changed, 0 to 1.
        seed: seed of the draws.

    Raises:
        ConfigError: the rate is out of range.

    >>> with_typos("Toy Story (1995)", rate=0.3, seed=7)
    'oy Szory (1995)'
    >>> with_typos("Toy Story (1995)", rate=0.0, seed=7)
    'Toy Story (1995)'
    """
    if not 0 <= rate <= 1:
        raise ConfigError(f"rate: got {rate}, expected 0 to 1")
    random = _random(text, seed)
    done, rest = [], list(text)
    while rest:
        letter = rest.pop(0)
        if not letter.isalpha() or random.random() >= rate:
            done.append(letter)
            continue
        kind = random.integers(4)
        if kind == 0:
            done.append(_LETTERS[random.integers(len(_LETTERS))])
        elif kind == 1:
            done += [letter, letter]
        elif kind == 2 and rest:
            done += [rest.pop(0), letter]
    return "".join(done)


def in_capitals(text: str) -> str:
    """Upper case, except for letters without a one-letter upper case.

    >>> in_capitals("Das Große Boot (1981)")
    'DAS GROßE BOOT (1981)'
    """
    return "".join(_recased(letter, letter.upper()) for letter in text)


def in_small_letters(text: str) -> str:
    """Lower case, except for letters without a one-letter lower case.

    >>> in_small_letters("Das Große Boot (1981)")
    'das große boot (1981)'
    """
    return "".join(_recased(letter, letter.lower()) for letter in text)


def shuffled_list(text: str, seed: int, separator: str = ", ") -> str:
    """Shuffles the parts of a list in a text.

    >>> shuffled_list("Action, Crime, Drama", seed=2)
    'Crime, Drama, Action'
    """
    parts = text.split(separator)
    return separator.join(parts[index] for index in _random(text, seed).permutation(len(parts)))


def _recased(letter: str, other: str) -> str:
    return other if len(other) == 1 and other.casefold() == letter.casefold() else letter


def _random(text: str, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(text.encode("utf-8", "surrogatepass"))])
