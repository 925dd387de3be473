"""Free sentences: the nearest of the sentences whose meaning is known vote on the intent.

The known sentences are files of this package, two of each of Home Assistant's templates that the
encoder was trained on, and hand-written phrases. They are encoded by the server's encoder at first
use and again when a reply names another encoder, so a release needs no step of its own here.
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
    """A sentence whose meaning is known."""

    text: str
    intent: str
    kind: str = ""
    """The domain that it is about; empty: it does not say."""
    change: str = ""
    """`up`, `down`, or empty."""


@dataclass(frozen=True, slots=True)
class Voting:
    """How the nearest sentences decide."""

    voters: int = 15
    """How many vote, 1 or more."""
    temperature: float = 0.05
    """A vote weighs e^(cosine / temperature), above 0."""
    refuse_below: float = 0.78
    """Nothing is understood where the nearest sentence's cosine is less, -1 to 1."""
    sure_above: float = 0.8
    """An intent with a smaller share of the votes is asked back, 0 to 1."""


VOTING = {"en": Voting(), "zh-CN": Voting(refuse_below=0.74)}
"""By language, for Penchant's own encoder of a home: what its validation templates chose."""


@cache
def exemplars(language: str) -> tuple[Exemplar, ...]:
    """The known sentences of a language.

    Raises:
        InvalidRequest: there are none.
    """
    file = importlib.resources.files("penchant_sdk.home") / "exemplars" / f"{language}.jsonl"
    if not file.is_file():
        raise InvalidRequest(f"language: got {language!r}, expected en or zh-CN")
    rows = file.read_text(encoding="utf-8").splitlines()
    return tuple(Exemplar(**json.loads(row)) for row in rows)


class Nearest:
    """The known sentences with their vectors, of one encoder."""

    def __init__(
        self, known: Sequence[Exemplar], parts: Sequence[Embeddings], voting: Voting
    ) -> None:
        """Takes the sentences' vectors, in their order, in one part or more, of one encoder."""
        self.encoder_version = parts[0].encoder_version
        self._known = known
        self._vectors = np.concatenate([as_array(part) for part in parts])
        self._voting = voting

    def frame(self, vector: Float32) -> Frame | None:
        """What a sentence says; None where it is too far from all that is known.

        Args:
            vector: of the sentence, unit length, shape (d,).

        Returns:
            A frame whose confidence is the intent's share of the votes. About 20 µs for 700
            sentences of 64 numbers.
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
        )


def as_array(embeddings: Embeddings) -> Float32:
    """The vectors of a reply, shape (texts, dimensions)."""
    flat = np.frombuffer(embeddings.data, "<f4").astype(np.float32)
    return flat.reshape(len(embeddings), embeddings.dimensions)
