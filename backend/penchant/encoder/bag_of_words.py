"""An encoder without a model: a text's vector is the normalised sum of its words' hashes.

Texts that share words point the same way; synonyms do not. It serves where rankings must follow the
texts but need not understand them: in tests, and for the SDK's `FakePenchant`.

>>> encoder = BagOfWords()
>>> story, kitchen = encoder.encode(["A toy story", "Kitchen drama"])
>>> bool(encoder.encode(["Story: a TOY!"])[0] @ story > 0.9999)
True
>>> bool(story @ kitchen < 0.5)
True
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from penchant.domain.types import Matrix, Vector

_WORD = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+")
"""A run of letters and digits, or one Chinese character: Chinese puts no spaces between words."""

_SHARED = np.float32(0.1)
"""Length, in words, of the part that every text has, so that an empty text has a direction too."""


class BagOfWords:
    """Adds up one vector of +1 and -1 for each word; see `penchant.encoder.base.Encoder`.

    Sums of whole numbers are exact, so a text gets the same vector in any batch, on any machine.
    """

    def __init__(self, version: str = "b0b0b0b0b0b0b0b0", dimensions: int = 64) -> None:
        """Makes the encoder; nothing is loaded.

        Args:
            version: 16 hex digits; they seed the hashes, so each version has vectors of its own.
            dimensions: length d of each vector, at least 1.
        """
        self.version = version
        self.dimensions = dimensions

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Unit vectors in the order of the texts, shape (n, d), float32; see `Encoder.encode`."""
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            total = _SHARED * self._sum([""]) + self._sum(_WORD.findall(text.lower()))
            vectors[row] = total / np.linalg.norm(total)
        return vectors

    def _sum(self, words: Sequence[str]) -> Vector:
        """The sum of the words' vectors, shape (d,)."""
        bytes_each = -(-self.dimensions // 8)
        digests = b"".join(
            hashlib.shake_128(f"{self.version} {word}".encode()).digest(bytes_each)
            for word in words
        )
        packed = np.frombuffer(digests, np.uint8).reshape(len(words), bytes_each)
        bits = np.unpackbits(packed, axis=1, count=self.dimensions)
        ones: Vector = bits.sum(axis=0, dtype=np.float32)
        return 2 * ones - np.float32(len(words))
