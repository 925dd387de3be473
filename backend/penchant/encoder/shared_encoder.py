"""An encoder whose long lists of texts are encoded in shares, here or by other workers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from penchant.domain.arrays import Float32
from penchant.encoder.base import Encoder
from penchant.system.workers import ALONE, Workers

SHARE_TEXTS = 256
"""Texts of a share. A vector depends, to within 1e-5, on what it is encoded with, so that shares
must be the same whoever makes them."""


@dataclass(frozen=True, slots=True)
class TextShare:
    """Texts that one process encodes together."""

    directory: Path
    """Of the encoder, as each worker finds it."""
    threads: int
    texts: tuple[str, ...]


def encode_share(share: TextShare) -> Float32:
    """The vectors of a share's texts, shape (n, d); raises ConfigError if there is no encoder."""
    return _loaded(share.directory, share.threads).encode(share.texts)


@lru_cache(maxsize=2)
def _loaded(directory: Path, threads: int) -> Encoder:
    from penchant.encoder.onnx import OnnxEncoder  # Only here: help and servers do without.

    return OnnxEncoder.load(directory, threads=threads)


class SharedEncoder:
    """See `Encoder`; the vectors are the same to the byte for any workers."""

    def __init__(
        self, inner: Encoder, directory: Path, threads: int = 1, workers: Workers = ALONE
    ) -> None:
        """Wraps an encoder.

        Args:
            inner: the encoder of the directory, for what this process encodes.
            directory: written by `penchant export`.
            threads: threads of each other process for one run of the graph.
            workers: who encodes.
        """
        self._inner, self._workers = inner, workers
        self._directory, self._threads = directory.absolute(), threads

    @property
    def version(self) -> str:
        """See `Encoder.version`."""
        return self._inner.version

    @property
    def dimensions(self) -> int:
        """See `Encoder.dimensions`."""
        return self._inner.dimensions

    def encode(self, texts: Sequence[str]) -> Float32:
        """See `Encoder.encode`; one share is encoded here."""
        shares = [tuple(texts[at : at + SHARE_TEXTS]) for at in range(0, len(texts), SHARE_TEXTS)]
        parts: Iterable[Float32]
        if self._workers.alone or len(shares) < 2:
            parts = map(self._inner.encode, shares)
        else:
            given = [TextShare(self._directory, self._threads, share) for share in shares]
            parts = self._workers.worked(encode_share, given)
        empty = np.empty((0, self.dimensions), np.float32)
        return np.concatenate([empty, *parts])
