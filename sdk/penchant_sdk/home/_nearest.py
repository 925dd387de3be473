"""Classifies free sentences: the nearest known sentences vote on the intent.

The known sentences are files of this package: two for each of Home Assistant's templates that the
encoder was trained on, and hand-written phrases. The server encodes them at first use, and again
when a reply names another encoder, so a new release of the encoder needs no extra step.
"""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from penchant_sdk.errors import InvalidRequest
from penchant_sdk.home._frames import Frame
from penchant_sdk.records import Embeddings

Float32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Exemplar:
    """A known sentence with its meaning."""

    text: str
    intent: str
    kind: str = ""
    """Domain of the device. Empty: not stated."""
    change: str = ""
    """`up`, `down`, or empty."""


@dataclass(frozen=True, slots=True)
class Voting:
    """Parameters of the vote among the nearest known sentences."""

    voters: int = 15
    """Number of sentences that vote, 1 or more."""
    temperature: float = 0.05
    """A vote has the weight e^(cosine / temperature), above 0."""
    refuse_below: float = 0.77
    """Cosine of the nearest sentence below which the text is refused, -1 to 1."""
    sure_above: float = 0.98
    """Confidence below which the client asks for confirmation, 0 to 1."""


VOTING = {"en": Voting(), "zh-CN": Voting(refuse_below=0.74)}
"""Parameters by language, tuned on the validation templates with Penchant's home encoder."""


@cache
def exemplars(language: str) -> tuple[Exemplar, ...]:
    """The known sentences of a language.

    Raises:
        InvalidRequest: the language has none.
    """
    file = importlib.resources.files("penchant_sdk.home") / "exemplars" / f"{language}.jsonl"
    if not file.is_file():
        raise InvalidRequest(f"language: got {language!r}, expected en or zh-CN")
    rows = file.read_text(encoding="utf-8").splitlines()
    return tuple(Exemplar(**json.loads(row)) for row in rows)


class Nearest:
    """The known sentences with their vectors, all from one encoder."""

    def __init__(
        self, known: Sequence[Exemplar], parts: Sequence[Embeddings], voting: Voting
    ) -> None:
        """Takes sentences and their vectors, in the same order.

        Args:
            known: the sentences.
            parts: their vectors in one or more parts, all from one encoder.
            voting: parameters of the vote.
        """
        self.encoder_version = parts[0].encoder_version
        self._known = known
        self._vectors = np.concatenate([as_array(part) for part in parts])
        self._voting = voting

    def frame(self, vector: Float32) -> Frame | None:
        """The frame of a sentence; None if it is too far from all known sentences.

        Takes about 20 µs for 700 known sentences in 64 dimensions.

        Args:
            vector: the sentence's vector, unit length, shape (d,).

        Returns:
            A frame; its confidence is the share of the votes for the intent.
        """
        voting, cosines = self._voting, self._vectors @ vector
        nearest = np.argsort(-cosines)[: voting.voters]
        if cosines[nearest[0]] < voting.refuse_below:
            return None
        weights = np.exp((cosines[nearest] - cosines[nearest[0]]) / voting.temperature)
        shares: dict[str, float] = {}
        for number, weight in zip(nearest.tolist(), weights.tolist(), strict=True):
            intent = self._known[number].intent
            shares[intent] = shares.get(intent, 0.0) + weight
        intent = max(shares, key=shares.__getitem__)
        agreeing = [self._known[n] for n in nearest.tolist() if self._known[n].intent == intent]
        return Frame(
            intent,
            kind=next((one.kind for one in agreeing if one.kind), ""),
            change=agreeing[0].change,
            confidence=shares[intent] / sum(shares.values()),
            cosine=float(cosines[nearest[0]]),
        )


def as_array(embeddings: Embeddings) -> Float32:
    """The vectors as float32, shape (texts, dimensions)."""
    flat = np.frombuffer(embeddings.data, "<f4").astype(np.float32)
    return flat.reshape(len(embeddings), embeddings.dimensions)
