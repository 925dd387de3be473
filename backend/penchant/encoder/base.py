"""What every encoder promises: texts in, unit vectors out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Encoder(Protocol):
    """Texts to unit vectors; safe to call from several threads."""

    @property
    def version(self) -> str:
        """16 hex digits over all that makes the vectors: graph, tokenizer and settings.

        Two encoders with one version give the same vectors.
        """
        ...

    @property
    def dimensions(self) -> int:
        """Length d of each vector, at least 1."""
        ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encodes texts.

        A text alone and the same text in any batch get the same vector to 1e-5.

        Args:
            texts: Any number of texts, none too; a long one is cut after the encoder's most tokens.

        Returns:
            Unit vectors in the order of the texts, shape (n, d), float32, each of norm 1; also for
            a text with nothing in it that the encoder knows.

        Raises:
            EncoderUnavailable: the encoder can't be reached or failed.
        """
        ...


class Encoders(Protocol):
    """The encoders that a server can use: the configured one, and those of its releases."""

    @property
    def default(self) -> Encoder:
        """The configured one, for a catalog that no release was published to."""
        ...

    def of(self, version: str, dimensions: int) -> Encoder:
        """The encoder of a version, whose vectors have so many dimensions.

        Raises:
            EncoderUnavailable: neither the configured one nor any release's.
        """
        ...
