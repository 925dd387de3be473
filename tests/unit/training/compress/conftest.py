"""Encoders to compress, and rankings to measure the loss by."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.training.validation_rankings import ValidationRankings
from tests.support.tiny_encoders import write_encoder
from tests.unit.evaluation.gates.planted import CONFIG, KINDS, planted_log
from tests.unit.training.compress.planted import write_outlier_encoder

LETTERS = [chr(97 + number) for number in range(26)]
DIGITS = [str(number) for number in range(10)]
UNUSED = [f"unused{letter}" for letter in LETTERS]
PIECES = [
    *UNUSED,
    *KINDS,
    "word",
    *LETTERS,
    *DIGITS,
    *("##" + piece for piece in (*LETTERS, *DIGITS)),
    *(f"##{number}" for number in range(10, 80)),
]
"""Tokens for the texts of `planted_log`, a kind and `word` with a number; some are unused."""


@pytest.fixture(scope="session")
def rankings() -> ValidationRankings:
    """Rankings for the newer half of a log in which each user likes one kind."""
    return ValidationRankings.of_newest(planted_log(), 0.5, CONFIG, 200)


@pytest.fixture(scope="session")
def outlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An exported encoder whose second product meets an outlier."""
    return write_outlier_encoder(tmp_path_factory.mktemp("outlier") / "encoder")


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face encoder of three layers, which spells unknown words."""
    directory = tmp_path_factory.mktemp("tiny")
    return write_encoder(directory, PIECES, layers=3)
