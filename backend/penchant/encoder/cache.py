"""An encoder with a memory: recently seen texts are not encoded again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from penchant.domain.types import Matrix, Vector
from penchant.encoder.base import Encoder


class CachedEncoder:
    """An `Encoder` that keeps the vectors of the most recently used texts in memory."""

    def __init__(self, inner: Encoder, capacity: int = 65_536) -> None:
        """Wraps an encoder; its cache starts empty.

        Args:
            inner: encodes texts that are not in the cache.
            capacity: number of vectors to keep, at least 1.
        """
        self._inner = inner
        self._capacity = capacity
        self._lock = threading.Lock()
        self._vectors: OrderedDict[str, Vector] = OrderedDict()

    @property
    def version(self) -> str:
        """See `Encoder.version`."""
        return self._inner.version

    @property
    def dimensions(self) -> int:
        """See `Encoder.dimensions`."""
        return self._inner.dimensions

    def encode(self, texts: Sequence[str]) -> Matrix:
        """See `Encoder.encode`; calls the inner encoder only for texts not in the cache."""
        with self._lock:
            known = {text: self._vectors[text] for text in texts if text in self._vectors}
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            known |= zip(missing, self._inner.encode(missing), strict=True)
        with self._lock:
            self._remember(known)
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        return np.stack([known[text] for text in texts])

    def _remember(self, vectors: dict[str, Vector]) -> None:
        self._vectors.update(vectors)
        for text in vectors:
            self._vectors.move_to_end(text)
        while len(self._vectors) > self._capacity:
            self._vectors.popitem(last=False)
