"""Fine-tuning within a search: one encoder for each set of training settings."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from penchant.logs.stream import Stream
from penchant.tuning.encoder_search import finetuned


def test_each_set_of_training_settings_is_trained_once(source: Path, stream: Stream) -> None:
    vectors, version = finetuned(stream, source, steps=2, seed=1, dimensions=16, head_steps=20)
    first = vectors({"learning_rate": 1e-3, "ridge": 1.0})
    assert first.shape == (len(stream.items), 16)
    assert vectors({"learning_rate": 1e-3, "ridge": 9.0}) is first
    other = vectors({"learning_rate": 1e-2, "temperature": 0.5})
    assert np.abs(other - first).max() > 1e-3
    assert version == finetuned(stream, source, steps=2, seed=1, dimensions=16, head_steps=20)[1]
