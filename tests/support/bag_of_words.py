"""An encoder without a model: a text is the sum of its words' fixed random vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from penchant.domain.errors import EncoderUnavailable
from penchant.domain.types import Matrix, Vector


class BagOfWords:
    """Keeps the promises of `penchant.encoder.base.Encoder`, counts, and fails when told to."""

    def __init__(self, version: str = "b0b0b0b0b0b0b0b0", dimensions: int = 64) -> None:
        self.version = version
        self.dimensions = dimensions
        self.encoded: list[str] = []
        self.error: Exception | None = None
        self.fails_at = ""

    def break_down(self) -> None:
        self.error = EncoderUnavailable("encoder: down")

    def encode(self, texts: Sequence[str]) -> Matrix:
        if self.error is not None:
            raise self.error
        if self.fails_at and self.fails_at in texts:
            raise EncoderUnavailable("encoder: failed midway")
        self.encoded += texts
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            total = sum((self._word(word) for word in text.lower().split()), self._word(""))
            vectors[row] = total / np.linalg.norm(total)
        return vectors

    def _word(self, word: str) -> Vector:
        digest = hashlib.blake2b(f"{self.version} {word}".encode(), digest_size=8).digest()
        generator = np.random.default_rng(int.from_bytes(digest, "little"))
        scale = np.float32(1.0 if word else 0.1)
        return scale * generator.standard_normal(self.dimensions, np.float32)
