"""Embed: texts to vectors, for callers and for the other models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from penchant.domain.errors import PenchantError
from penchant.domain.types import Matrix
from penchant.encoder.base import Encoder, Encoders
from penchant.store.base import Store
from penchant.store.items import read_head


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """Texts, and the encoder that is asked for; empty: the one that the catalog is encoded by."""

    texts: Sequence[str]
    encoder_version: str = ""


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors, shape (texts, d), and the encoder that made them."""

    vectors: Matrix
    encoder_version: str


class EmbedService:
    """Answers embed requests; the texts of all requests to one encoder are encoded together."""

    def __init__(self, store: Store, encoders: Encoders) -> None:
        self._store = store
        self._encoders = encoders

    def embed(self, requests: Sequence[EmbedRequest]) -> list[Embedded | PenchantError]:
        """One result or error per request, in order."""
        current = "" if all(request.encoder_version for request in requests) else self._current()
        versions = [request.encoder_version or current for request in requests]
        results: dict[int, Embedded | PenchantError] = {}
        for version in dict.fromkeys(versions):
            places = [place for place, named in enumerate(versions) if named == version]
            try:
                encoder = self._encoders.of(version, 0)
                texts = [requests[place].texts for place in places]
                results |= zip(places, _together(encoder, texts), strict=True)
            except PenchantError as error:
                results |= dict.fromkeys(places, error)
        return [results[place] for place in range(len(requests))]

    def _current(self) -> str:
        """The version of the encoder that the catalog is encoded by."""
        with self._store.snapshot() as snapshot:
            head = read_head(snapshot)
        return head.encoder_version if head.rows else self._encoders.default.version


def _together(encoder: Encoder, requests: Sequence[Sequence[str]]) -> list[Embedded]:
    texts = list(dict.fromkeys(text for request in requests for text in request))
    vectors = encoder.encode(texts)
    row = {text: position for position, text in enumerate(texts)}
    return [
        Embedded(vectors[[row[text] for text in request]], encoder.version) for request in requests
    ]
