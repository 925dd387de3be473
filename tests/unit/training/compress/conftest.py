"""Encoders to make smaller, and judges of what that costs."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.training.compress.encoder_comparison import Judge
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
"""Of the texts of `planted_log`, which are a kind and `word` with a number; some are unused."""


@pytest.fixture(scope="session")
def judge() -> Judge:
    """Of the newer half of a log in which each user likes one kind."""
    return Judge(planted_log(), 0.5, 200, CONFIG)


@pytest.fixture(scope="session")
def outlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `penchant export` writes one; its second product meets an outlier."""
    return write_outlier_encoder(tmp_path_factory.mktemp("outlier") / "encoder")


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face encoder of three layers, which spells what it has no word for."""
    directory = tmp_path_factory.mktemp("tiny")
    return write_encoder(directory, PIECES, layers=3)
