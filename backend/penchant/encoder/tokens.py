"""Texts to batches of token ids, with as little padding as pays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from penchant.domain.errors import ConfigError
from penchant.encoder.bundle import Bundle, Settings

BATCH = 32
"""The most texts in one run of the graph."""
SLACK = 4
"""Tokens of padding that cost less than a run of their own."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some of the texts as the graph takes them."""

    rows: list[int]
    """Where each text stood in the call."""
    input_ids: NDArray[np.int64]
    """Token ids, padded on the right, shape (batch, tokens)."""
    attention_mask: NDArray[np.int64]
    """1 for a token, 0 for padding, shape (batch, tokens)."""


class Texts:
    """Cuts, tokenizes and batches texts as an encoder's settings say."""

    def __init__(self, tokenizer: Tokenizer, settings: Settings) -> None:
        tokenizer.no_padding()
        tokenizer.enable_truncation(settings.max_tokens)
        self._tokenizer = tokenizer
        self._settings = settings

    @classmethod
    def load(cls, bundle: Bundle) -> Texts:
        """Reads a bundle's tokenizer; raises ConfigError where it isn't one."""
        try:
            tokenizer = Tokenizer.from_file(str(bundle.tokenizer))
        except Exception as error:  # the library raises plain Exception
            raise ConfigError(f"encoder: {bundle.tokenizer} can't be read: {error}") from error
        return cls(tokenizer, bundle.settings)

    def tokenizer_json(self) -> str:
        """The tokenizer as tokenizer.json holds it."""
        return self._tokenizer.to_str()

    def token_ids(self, text: str) -> list[int]:
        """A text's tokens, special ones included: at least 1, at most the settings' max_tokens."""
        whole = (self._settings.prefix + text).encode("utf-8", "replace").decode()
        # One at a time: `encode_batch` would start a thread for each core of the machine.
        return self._tokenizer.encode(whole).ids or [self._settings.pad_id]

    def batches(self, texts: Sequence[str]) -> Iterator[Batch]:
        """Batches of at most 32 texts with similar token counts, short texts first."""
        tokens = [self.token_ids(text) for text in texts]
        for rows in group([len(ids) for ids in tokens]):
            yield pad(rows, [tokens[row] for row in rows], self._settings.pad_id)


def group(lengths: Sequence[int]) -> list[list[int]]:
    """Splits rows by length so that no row is padded by much more than a quarter.

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


def pad(rows: list[int], tokens: Sequence[Sequence[int]], pad_id: int) -> Batch:
    """One batch of rows of token ids, as long as the longest.

    >>> pad([0, 1], [[5, 6], [7]], 0).input_ids.tolist()
    [[5, 6], [7, 0]]
    """
    shape = (len(tokens), max(map(len, tokens)))
    input_ids = np.full(shape, pad_id, np.int64)
    mask = np.zeros(shape, np.int64)
    for at, ids in enumerate(tokens):
        input_ids[at, : len(ids)] = ids
        mask[at, : len(ids)] = 1
    return Batch(rows, input_ids, mask)
