"""Compares our reading of a directory with sentence-transformers' own `encode` of it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from penchant.domain.types import Matrix
from penchant.encoder.bundle import EncoderSettings
from penchant.encoder.tokens import TextTokenizer
from penchant.training.comparison_texts import comparison_texts
from penchant.training.lora_adapter import has_adapter
from penchant.training.pytorch_encoder import SentenceEncoder, embed
from penchant.training.virtual_tokens import virtual_token_count


def least_cosine(
    source: Path, model: SentenceEncoder, tokenizer: TextTokenizer, settings: EncoderSettings
) -> float | None:
    """Returns the least cosine between the source's embeddings and sentence-transformers' own.

    Args:
        source: the directory.
        model: our reading of it.
        tokenizer: its tokenizer.
        settings: its settings; their token limit counts for both.

    Returns:
        -1 to 1; None where the directory is not in the layout of sentence-transformers, is an
        adapter, or is one that sentence-transformers can't read.
    """
    body: Any = model.body
    virtual = virtual_token_count(body.config)
    if not (source / "modules.json").is_file() or has_adapter(source) or virtual:
        return None
    texts = [text for text in comparison_texts() if text.strip().isprintable() and text.strip()]
    theirs = _encoded(source, texts, settings.max_tokens)
    if theirs is None:
        return None
    ours = embed(model, tokenizer, texts)
    norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    seen = norms > 0
    if ours.shape != theirs.shape or not seen.any():
        return -1.0
    return float(((ours * theirs).sum(axis=1)[seen] / norms[seen]).min())


def _encoded(source: Path, texts: list[str], max_tokens: int) -> Matrix | None:
    from sentence_transformers import SentenceTransformer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model: Any = SentenceTransformer(
                str(source),
                device="cpu",
                local_files_only=True,
                model_kwargs={"dtype": torch.float32, "attn_implementation": "eager"},
            )
        except Exception:  # noqa: BLE001  # It names no error of its own.
            return None
        model.max_seq_length = max_tokens
        found = model.encode(texts, convert_to_numpy=True, show_progress_bar=False)
    return np.asarray(found, np.float32)
