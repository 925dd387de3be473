"""The hashed bag of words keeps an encoder's promises, exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.encoder.bag_of_words import BagOfWords

ENCODER = BagOfWords()
texts = st.lists(st.text(max_size=40), max_size=5)


@given(texts)
def test_every_text_has_a_unit_vector_that_no_batch_changes(some: list[str]) -> None:
    vectors = ENCODER.encode(some)
    assert vectors.shape == (len(some), 64)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(some)), abs=1e-6)
    for text, vector in zip(some, vectors, strict=True):
        assert (ENCODER.encode([text])[0] == vector).all()


@given(st.permutations(["a", "slow", "waltz", "for", "two"]))
def test_order_case_and_punctuation_do_not_count(words: list[str]) -> None:
    one, other = ENCODER.encode(["a slow waltz for two", ", ".join(words).upper() + "!"])
    assert (one == other).all()


def test_texts_that_share_words_point_the_same_way() -> None:
    lamp, light, curtain = ENCODER.encode(
        ["turn on the floor lamp", "turn on the ceiling light", "close a curtain"]
    )
    assert lamp @ light > 0.4 > lamp @ curtain


def test_each_chinese_character_is_a_word() -> None:
    on, off, else_ = ENCODER.encode(["把吊灯打开", "把吊灯关上", "现在几点"])
    assert on @ off > 0.4 > on @ else_


def test_each_version_has_vectors_of_its_own() -> None:
    one, same, other = (
        BagOfWords(version).encode(["a slow waltz"])[0]
        for version in ("a" * 16, "a" * 16, "b" * 16)
    )
    assert (one == same).all()
    assert abs(one @ other) < 0.5


@pytest.mark.parametrize("dimensions", [1, 7, 100])
def test_any_number_of_dimensions_will_do(dimensions: int) -> None:
    vectors = BagOfWords(dimensions=dimensions).encode(["a", ""])
    assert vectors.shape == (2, dimensions)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(2))
