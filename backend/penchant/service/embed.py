"""Embed: texts to vectors, for callers and for the other models."""

from __future__ import annotations

from collections.abc import Sequence

from penchant.domain.types import Matrix
from penchant.encoder.base import Encoder


class EmbedService:
    """Answers embed requests; the texts of all requests are encoded together."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    @property
    def encoder_version(self) -> str:
        """Which encoder makes the vectors."""
        return self._encoder.version

    def embed(self, requests: Sequence[Sequence[str]]) -> list[Matrix]:
        """One matrix per request, shape (texts, d); raises EncoderUnavailable for all of them."""
        texts = list(dict.fromkeys(text for request in requests for text in request))
        vectors = self._encoder.encode(texts)
        row = {text: position for position, text in enumerate(texts)}
        return [vectors[[row[text] for text in request]] for request in requests]
