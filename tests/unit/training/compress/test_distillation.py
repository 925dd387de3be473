"""A student learns to reproduce its teacher's vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer

from penchant.domain.types import Matrix
from penchant.training.compress.distillation import distil, training_texts
from penchant.training.compress.layers import put_layers
from penchant.training.finetuning.trainable_encoder import (
    encode,
    layers_of,
    read_encoder,
    transformer_of,
)
from penchant.training.validation_rankings import ValidationRankings


def student_of(source: Path) -> SentenceTransformer:
    """The encoder without its last two layers."""
    student = read_encoder(source)
    put_layers(student, list(layers_of(student))[:1])
    return student


def taught(source: Path, texts: list[str], steps: int, seed: int) -> tuple[Matrix, list[float]]:
    """Distils a student; its vectors of the texts afterwards, and the losses of all steps."""
    student = student_of(source)
    losses: list[float] = []
    vectors = encode(read_encoder(source), texts)
    distil(student, texts, vectors, steps, seed=seed, on_step=lambda _, loss: losses.append(loss))
    assert not student.training
    return encode(student, texts), losses


def test_it_lowers_the_loss(source: Path, rankings: ValidationRankings) -> None:
    texts = rankings.texts
    teacher = encode(read_encoder(source), texts)
    before = (1 - (teacher * encode(student_of(source), texts)).sum(axis=1)).mean()
    vectors, losses = taught(source, texts, 60, seed=0)
    after = (1 - (teacher * vectors).sum(axis=1)).mean()
    assert len(losses) == 60
    assert after < before / 2
    assert np.mean(losses[-10:]) < losses[0]


def test_equal_seeds_give_equal_vectors(source: Path, rankings: ValidationRankings) -> None:
    texts = rankings.texts[:20]
    (first, _), (second, _), (other, _) = (taught(source, texts, 3, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_no_step_changes_nothing(source: Path) -> None:
    texts = ["shoes word12"]
    vectors, losses = taught(source, texts, 0, seed=0)
    assert losses == []
    np.testing.assert_array_equal(vectors, encode(student_of(source), texts))


def test_the_embeddings_of_tokens_are_not_trained(
    source: Path, rankings: ValidationRankings
) -> None:
    student = student_of(source)
    words: Any = transformer_of(student).get_input_embeddings()
    before = words.weight.detach().clone().numpy()
    vectors = encode(read_encoder(source), rankings.texts)
    distil(student, rankings.texts, vectors, 3)
    np.testing.assert_array_equal(words.weight.detach().numpy(), before)


WORDS = st.lists(st.text("abcXYZ", min_size=1, max_size=6), min_size=1, max_size=6)


@given(st.lists(WORDS.map(" ".join), min_size=1, max_size=5), st.integers(0, 9))
def test_training_texts_are_the_catalogs_and_their_parts_and_noisy_copies(
    texts: list[str], seed: int
) -> None:
    found = training_texts(texts, seed)
    distinct = list(dict.fromkeys(texts))
    assert found[: len(distinct)] == distinct
    assert len(set(found)) == len(found) <= 3 * len(texts)
    assert found == training_texts(texts, seed)


def test_a_part_is_of_neighbouring_words() -> None:
    text = "one two three four five six"
    found = {one for seed in range(50) for one in training_texts([text], seed)}
    parts = [one for one in found if set(one.split()) < set(text.split())]
    assert len(parts) > 10
    assert all(part in text for part in parts)


@pytest.mark.parametrize("text", ["", "one", "one two"])
def test_a_short_text_is_its_own_part(text: str) -> None:
    assert {one.lower() for one in training_texts([text], 0)} >= {text}
    assert len(training_texts([text], 0)) <= 2
