"""Noisy texts: the changes, their limits, and their seed."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import ConfigError
from penchant.evaluation.text_noise import (
    in_capitals,
    in_small_letters,
    shuffled_list,
    with_typos,
)

SEEDS = st.integers(0, 2**32)
RATES = st.floats(0, 1)


@given(text=st.text(), rate=RATES, seed=SEEDS)
def test_equal_seeds_give_equal_texts(text: str, rate: float, seed: int) -> None:
    assert with_typos(text, rate, seed) == with_typos(text, rate, seed)
    assert shuffled_list(text, seed) == shuffled_list(text, seed)


@given(text=st.text(), seed=SEEDS)
def test_a_rate_of_zero_makes_no_typos(text: str, seed: int) -> None:
    assert with_typos(text, 0.0, seed) == text


@given(text=st.text(), rate=RATES, seed=SEEDS)
def test_a_letter_becomes_at_most_two_and_other_characters_stay(
    text: str, rate: float, seed: int
) -> None:
    typed = with_typos(text, rate, seed)
    letters = sum(letter.isalpha() for letter in text)
    assert len(text) - letters <= len(typed) <= len(text) + letters
    assert [sign for sign in typed if not sign.isalpha()] == [
        sign for sign in text if not sign.isalpha()
    ]


def test_about_the_given_share_of_letters_is_changed() -> None:
    text = "".join("abcdefgh"[place % 8] for place in range(4000))
    before = Counter(pairwise(text))
    typed = with_typos(text, 0.1, seed=3)
    kept = sum((before & Counter(pairwise(typed))).values())
    assert 0.75 < kept / len(text) < 0.9  # A typo breaks about two pairs of adjacent letters.


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_out_of_range_is_refused(rate: float) -> None:
    with pytest.raises(ConfigError, match="rate"):
        with_typos("text", rate, seed=1)


@given(text=st.text())
def test_only_the_case_changes(text: str) -> None:
    for other in (in_capitals(text), in_small_letters(text)):
        assert len(other) == len(text)
        assert other.casefold() == text.casefold()


@given(parts=st.lists(st.text(st.characters(exclude_characters=","))), seed=SEEDS)
def test_a_shuffled_list_holds_the_same_parts(parts: list[str], seed: int) -> None:
    text = ", ".join(parts)
    assert Counter(shuffled_list(text, seed).split(", ")) == Counter(text.split(", "))
