"""An encoder that remembers: a text seen lately is not encoded again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from penchant.domain.types import Matrix, Vector
from penchant.encoder.base import Encoder


class CachedEncoder:
    """Keeps the vectors of the latest texts of an encoder, in memory; see `Encoder`."""

    def __init__(self, inner: Encoder, capacity: int = 65_536) -> None:
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
        """See `Encoder.encode`; only the texts that are not remembered cost anything."""
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
