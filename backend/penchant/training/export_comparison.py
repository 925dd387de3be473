"""Comparison of an exported graph with the encoder in PyTorch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from penchant.domain.types import Matrix
from penchant.encoder.bundle import Bundle
from penchant.encoder.onnx import OnnxEncoder
from penchant.encoder.tokens import TextTokenizer, pad
from penchant.training.comparison_texts import comparison_texts
from penchant.training.pytorch_encoder import SentenceEncoder

_BATCH = 24


def largest_difference(
    model: SentenceEncoder, tokenizer: TextTokenizer, bundle: Bundle, catalog: Sequence[str]
) -> float:
    """The largest difference between ONNX and PyTorch in any value of a vector.

    The texts of `comparison_texts` are encoded in batches and one by one; those of the catalog only
    in batches, since one by one they would take long.

    Args:
        model: the encoder in PyTorch.
        tokenizer: its tokenizer.
        bundle: the exported encoder.
        catalog: more texts to compare.
    """
    encoder = OnnxEncoder.load(bundle.directory, threads=max(1, torch.get_num_threads()))
    built_in = comparison_texts()
    expected = _in_pytorch(model, tokenizer, bundle, [*built_in, *catalog])
    together = encoder.encode([*built_in, *catalog])
    alone = np.concatenate([encoder.encode([text]) for text in built_in])
    differences = together - expected, alone - expected[: len(built_in)]
    return float(np.max([np.abs(difference).max() for difference in differences]))


def _in_pytorch(
    model: SentenceEncoder, tokenizer: TextTokenizer, bundle: Bundle, texts: Sequence[str]
) -> Matrix:
    """Vectors in batches that, unlike the server's, are not sorted by length."""
    parts = []
    for start in range(0, len(texts), _BATCH):
        tokens = [tokenizer.token_ids(text) for text in texts[start : start + _BATCH]]
        batch = pad([], tokens, bundle.settings.pad_id)
        with torch.inference_mode():
            ids, mask = torch.from_numpy(batch.input_ids), torch.from_numpy(batch.attention_mask)
            parts.append(model(ids, mask).numpy())
    return np.concatenate(parts)
