"""Part `vectors`: do 1,000 texts get the vectors on the GPU that ONNX Runtime gives on the CPU?"""

from __future__ import annotations

import random

import numpy as np

from benchmarks.gpu.bench import GpuBench
from penchant.encoder.onnx import OnnxEncoder

TEXTS = 1000
_TEXT = (
    "quiet river late summer house red coffee grinder steel two brothers night train orchestra "
    "garden lamp winter running shoe island detective paper moon kitchen small robot blue bicycle "
    "the of with a for in and without against under"
)
_WORDS = _TEXT.split()


def catalog_texts(count: int, seed: int = 1) -> list[str]:
    """Made-up item texts of 1 to 120 words, most of them short.

    Args:
        count: number of texts.
        seed: equal seeds give equal texts.
    """
    rng = random.Random(seed)
    return [
        " ".join(rng.choices(_WORDS, k=min(120, 1 + int(rng.expovariate(1 / 12)))))
        for _ in range(count)
    ]


def compare_vectors(bench: GpuBench) -> list[dict[str, object]]:
    """One row: least and mean cosine, and the largest difference in any value."""
    loaded = bench.loaded()
    texts = catalog_texts(50 if bench.quick else TEXTS)
    ours = loaded.encoder.encode(texts)
    theirs = OnnxEncoder.load(bench.encoder, threads=4).encode(texts)
    cosines = (ours * theirs).sum(axis=1)
    return [
        {
            "engine": loaded.name,
            "texts": len(texts),
            "least cosine": round(float(cosines.min()), 6),
            "mean cosine": round(float(cosines.mean()), 6),
            "largest difference": float(f"{np.abs(ours - theirs).max():.2e}"),
            "why no engine": loaded.why,
        }
    ]
