"""Embed: texts to vectors, for callers and for the other models."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np

from penchant.domain.errors import PenchantError
from penchant.domain.limits import Limits, check_count, check_text
from penchant.domain.types import Matrix, Vector
from penchant.encoder.base import Encoders
from penchant.service.attempt import attempt
from penchant.service.slices import SliceSize
from penchant.store.base import Store
from penchant.store.items import read_head


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """Texts to encode."""

    texts: Sequence[str]
    encoder_version: str = ""
    """Version of the encoder to use; empty: the one that encodes the catalog."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors of the texts, shape (texts, d), and the version of the encoder that made them."""

    vectors: Matrix
    encoder_version: str


def check_embed(request: EmbedRequest, limits: Limits) -> EmbedRequest:
    """The request; raises InvalidRequest if it breaks the contract."""
    check_count("texts", request.texts, limits.texts)
    for position, text in enumerate(request.texts):
        check_text(f"texts[{position}]", text, limits.text_bytes)
    return request


def encoding_cost(text: str) -> float:
    """Rough milliseconds to encode a text by a small encoder on one core."""
    return 3.5 + 0.007 * len(text)


class EmbedService:
    """Answers embed requests; the texts of all requests to one encoder are encoded together."""

    def __init__(self, store: Store, encoders: Encoders) -> None:
        self._store = store
        self._encoders = encoders
        self._slice_cost = SliceSize(first=20.0, least=5.0, most=2_000.0)

    def embed(self, requests: Sequence[EmbedRequest]) -> list[Embedded | PenchantError]:
        """One result or error per request, in order."""
        current = "" if all(request.encoder_version for request in requests) else self._current()
        versions = [request.encoder_version or current for request in requests]
        results: dict[int, Embedded | PenchantError] = {}
        for version in dict.fromkeys(versions):
            places = [place for place, wanted in enumerate(versions) if wanted == version]
            texts = [requests[place].texts for place in places]
            embedded = attempt(self._encode_together, version, texts)
            if isinstance(embedded, PenchantError):
                results |= dict.fromkeys(places, embedded)
            else:
                results |= zip(places, embedded, strict=True)
        return [results[place] for place in range(len(requests))]

    def in_slices(self, request: EmbedRequest) -> Generator[None, None, Embedded]:
        """The result of a request with many or long texts; pauses after every few of them.

        Raises:
            EncoderUnavailable: the encoder is missing, or failed.
        """
        encoder = self._encoders.of(request.encoder_version or self._current(), 0)
        texts = list(dict.fromkeys(request.texts))
        vectors: dict[str, Vector] = {}
        while (start := len(vectors)) < len(texts):
            some = self._next_slice(texts, start)
            with self._slice_cost.timed(sum(map(encoding_cost, some))):
                vectors |= zip(some, encoder.encode(some), strict=True)
            yield
        return Embedded(np.stack([vectors[text] for text in request.texts]), encoder.version)

    def _next_slice(self, texts: Sequence[str], start: int) -> Sequence[str]:
        """The next texts that fit into a slice, at least one."""
        end, cost = start + 1, encoding_cost(texts[start])
        while end < len(texts):
            cost += encoding_cost(texts[end])
            if cost > self._slice_cost.units:
                break
            end += 1
        return texts[start:end]

    def _current(self) -> str:
        """The version of the encoder that encodes the catalog."""
        with self._store.snapshot() as snapshot:
            head = read_head(snapshot)
        return head.encoder_version if head.rows else self._encoders.default.version

    def _encode_together(self, version: str, requests: Sequence[Sequence[str]]) -> list[Embedded]:
        """The vectors of several requests' texts; a text that occurs twice is encoded once."""
        encoder = self._encoders.of(version, 0)
        texts = list(dict.fromkeys(text for request in requests for text in request))
        vectors = encoder.encode(texts)
        row = {text: position for position, text in enumerate(texts)}
        return [
            Embedded(vectors[[row[text] for text in request]], encoder.version)
            for request in requests
        ]
