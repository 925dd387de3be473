"""An encoder that records its texts and fails on demand."""

from __future__ import annotations

from collections.abc import Sequence

from penchant.domain.errors import EncoderUnavailable
from penchant.domain.types import Matrix
from penchant.encoder.bag_of_words import BagOfWords


class WatchedEncoder(BagOfWords):
    """A bag of words that records the texts it encodes."""

    def __init__(self, version: str = "b0b0b0b0b0b0b0b0", dimensions: int = 64) -> None:
        super().__init__(version, dimensions)
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
        return super().encode(texts)
