"""Texts to batches of token ids, padded only where padding is cheaper than another run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from penchant.domain.arrays import Int64
from penchant.domain.errors import ConfigError
from penchant.encoder.bundle import Bundle, EncoderSettings

BATCH = 32
"""Maximum number of texts in one run of the graph."""
SLACK = 4
"""Tokens of padding per text that cost less than another run."""


@dataclass(frozen=True, slots=True)
class TokenBatch:
    """The tokens of some texts, as the graph takes them."""

    rows: list[int]
    """Position of each text in the call."""
    input_ids: Int64
    """Token ids, padded on the right, shape (batch, tokens)."""
    attention_mask: Int64
    """1 for a token, 0 for padding, shape (batch, tokens)."""


class TextTokenizer:
    """Cuts, tokenizes and batches texts by an encoder's settings."""

    def __init__(self, tokenizer: Tokenizer, settings: EncoderSettings) -> None:
        """Takes over a tokenizer: turns its padding off, and truncates at `max_tokens`."""
        tokenizer.no_padding()
        tokenizer.enable_truncation(settings.max_tokens)
        self._tokenizer = tokenizer
        self._settings = settings

    @classmethod
    def load(cls, bundle: Bundle) -> TextTokenizer:
        """Reads a bundle's tokenizer.

        Raises:
            ConfigError: tokenizer.json is not a tokenizer.
        """
        try:
            tokenizer = Tokenizer.from_file(str(bundle.tokenizer))
        except Exception as error:  # the library raises plain Exception
            raise ConfigError(f"encoder: {bundle.tokenizer} can't be read: {error}") from error
        return cls(tokenizer, bundle.settings)

    def tokenizer_json(self) -> str:
        """The tokenizer in the format of tokenizer.json."""
        return self._tokenizer.to_str()

    def token_ids(self, text: str) -> list[int]:
        """The tokens of a text, special tokens included: 1 to `max_tokens` ids."""
        whole = (self._settings.prefix + text).encode("utf-8", "replace").decode()
        # One at a time: `encode_batch` would start a thread for each core of the machine.
        return self._tokenizer.encode(whole).ids or [self._settings.pad_id]

    def batches(self, texts: Sequence[str]) -> Iterator[TokenBatch]:
        """Batches of up to 32 texts with similar token counts, shortest texts first."""
        tokens = [self.token_ids(text) for text in texts]
        for rows in group([len(ids) for ids in tokens]):
            yield pad(rows, [tokens[row] for row in rows], self._settings.pad_id)


def group(lengths: Sequence[int]) -> list[list[int]]:
    """Groups rows by length so that padding adds little more than a quarter to any row.

    >>> group([3, 90, 4, 100])
    [[0, 2], [1, 3]]
    """
    groups: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if groups and len(groups[-1]) < BATCH:
            shortest = lengths[groups[-1][0]]
            if lengths[row] <= shortest + shortest // 4 + SLACK:
                groups[-1].append(row)
                continue
        groups.append([row])
    return groups


def pad(rows: list[int], tokens: Sequence[Sequence[int]], pad_id: int) -> TokenBatch:
    """Batches rows of token ids, padded to the longest row.

    >>> pad([0, 1], [[5, 6], [7]], 0).input_ids.tolist()
    [[5, 6], [7, 0]]
    """
    shape = (len(tokens), max(map(len, tokens)))
    input_ids = np.full(shape, pad_id, np.int64)
    mask = np.zeros(shape, np.int64)
    for at, ids in enumerate(tokens):
        input_ids[at, : len(ids)] = ids
        mask[at, : len(ids)] = 1
    return TokenBatch(rows, input_ids, mask)
