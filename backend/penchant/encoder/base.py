"""The contract of every encoder: texts in, unit vectors out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from penchant.domain.arrays import Float32

RUNTIMES = ("auto", "tensorrt", "onnxruntime")
"""The values of the setting `encoder_runtime`."""


class Encoder(Protocol):
    """Encodes texts as unit vectors; safe to call from several threads."""

    @property
    def version(self) -> str:
        """16 hex digits over everything that determines a vector: graph, tokenizer and settings.

        Two encoders of the same version give the same vectors.
        """
        ...

    @property
    def dimensions(self) -> int:
        """Length d of each vector, at least 1."""
        ...

    def encode(self, texts: Sequence[str]) -> Float32:
        """Encodes texts.

        A text gets the same vector alone and in any batch, to within 1e-5.

        Args:
            texts: any number of texts, including none; a long text is cut at the encoder's token
                limit.

        Returns:
            Unit vectors in the order of the texts, shape (n, d), float32. A text without a single
            known token gets a unit vector too.

        Raises:
            EncoderUnavailable: the encoder can't be reached, or failed.
        """
        ...


class Encoders(Protocol):
    """The encoders a server can use: the configured one, and one for each release."""

    @property
    def default(self) -> Encoder:
        """The configured encoder, for a catalog that no release was published to."""
        ...

    def of(self, version: str, dimensions: int) -> Encoder:
        """The encoder of a version.

        Args:
            version: see `Encoder.version`.
            dimensions: length of its vectors.

        Raises:
            EncoderUnavailable: neither the configured encoder nor any release has this version.
        """
        ...
