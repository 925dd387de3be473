"""Self-attention over a user's likes in order, to predict the next one (SASRec).

Wang-Cheng Kang and Julian McAuley, "Self-Attentive Sequential Recommendation", ICDM 2018. Trained
with cross-entropy over the whole catalog instead of the single sampled negative of the paper, which
makes it stronger: Anton Klenitskiy and Alexey Vasilev, "Turning Dross Into Gold Loss: is BERT4Rec
really better than SASRec?", RecSys 2023.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from penchant.domain.arrays import Int64
from penchant.domain.types import Context, Vector
from penchant.evaluation.baselines.likes import Likes
from penchant.logs.stream import Stream

_IGNORED = -100
"""Target of padding, PyTorch's `ignore_index`."""


@dataclass(frozen=True, slots=True)
class SasRecSettings:
    """Settings of the network and of its training."""

    dimensions: int = 64
    blocks: int = 2
    heads: int = 2
    dropout: float = 0.4
    length: int = 50
    """Number of latest likes that the network sees."""
    batch: int = 64
    """Sequences per training step."""
    rate: float = 3e-3
    """Learning rate."""
    weight_decay: float = 0.1
    epochs: int = 30
    """Epochs of the first fit."""
    warm_epochs: int = 3
    """Epochs of each later fit, which starts from the previous weights."""


class SasRec:
    """A small causal transformer over likes; see `Recommender`.

    Later fits start warm. Each ranking runs the network once over the user's latest likes. A cold
    user gets the network's prediction of a first like.
    """

    name = "sasrec"

    def __init__(self, seed: int, settings: SasRecSettings | None = None) -> None:
        self._seed = seed
        self._settings = settings or SasRecSettings()
        self._likes = Likes()
        self._network: Network | None = None
        self._random = np.random.default_rng(seed)

    def fit(self, stream: Stream, until: int) -> None:
        """Trains on the users' likes before `until`."""
        first = self._likes.follow(stream, until).start == 0
        with torch.random.fork_rng(devices=[]), one_thread():
            torch.manual_seed(self._seed + until)
            if first or self._network is None:
                self._random = np.random.default_rng(self._seed)
                self._network = Network(len(stream.items), self._settings)
            epochs = self._settings.epochs if first else self._settings.warm_epochs
            self._train(self._network, epochs)

    @torch.inference_mode()
    def scores(self, user: int, at_us: int, context: Context = ()) -> Vector:
        """Logits of the network after the user's latest likes."""
        if self._network is None:
            raise RuntimeError("fit was not called yet")
        inputs, _ = crop(self._likes.by_user[user], self._settings.length)
        with one_thread():
            states = self._network(torch.from_numpy(inputs)[None])
            scores: Vector = self._network.logits(states[0, -1]).numpy()
        return scores

    def learn(self, position: int) -> None:
        """Extends the user's sequence; the weights change at the next fit."""
        self._likes.add(position)

    def _train(self, network: Network, epochs: int) -> None:
        settings = self._settings
        optimizer = torch.optim.AdamW(
            network.parameters(), lr=settings.rate, weight_decay=settings.weight_decay
        )
        network.train()
        for inputs, targets in self._batches(epochs):
            kept = targets != _IGNORED
            logits = network.logits(network(inputs)[kept])
            loss = nn.functional.cross_entropy(logits, targets[kept])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
        network.eval()

    def _batches(self, epochs: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields inputs and targets, each of shape (batch, length)."""
        for _ in range(epochs):
            inputs, targets = self._windows()
            order = self._random.permutation(len(inputs))
            for start in range(0, len(order), self._settings.batch):
                rows = order[start : start + self._settings.batch]
                longest = int((targets[rows] != _IGNORED).sum(axis=1).max())
                yield (
                    torch.from_numpy(inputs[rows, :longest]),
                    torch.from_numpy(targets[rows, :longest]),
                )

    def _windows(self) -> tuple[Int64, Int64]:
        """Inputs and targets, shape (windows, length); long sequences are cut at random."""
        length = self._settings.length
        inputs, targets = [], []
        for liked in self._likes.by_user:
            stop = len(liked)
            while stop > 0:
                window, target = crop(liked[:stop], length, predict=True)
                padding = length - len(window)
                inputs.append(np.pad(window, (0, padding)))
                targets.append(np.pad(target, (0, padding), constant_values=_IGNORED))
                stop -= int(self._random.integers(length // 2, length + 1))
        return np.array(inputs, np.int64), np.array(targets, np.int64)


@contextmanager
def one_thread() -> Iterator[None]:
    """Runs PyTorch on one thread: more would not help so small a network, and sums keep order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def crop(liked: list[int], length: int, *, predict: bool = False) -> tuple[Int64, Int64]:
    """The last `length` inputs and likes; input 0 marks the start, input i + 1 is item i.

    Args:
        liked: items in order.
        length: upper limit of inputs.
        predict: whether the last like is a target only, and not an input as well.

    >>> crop([7, 8, 9], 3)
    (array([ 8,  9, 10]), array([7, 8, 9]))
    >>> crop([7, 8, 9], 3, predict=True)
    (array([0, 8, 9]), array([7, 8, 9]))
    """
    inputs = np.array([0, *(item + 1 for item in liked)], np.int64)
    if predict:
        inputs = inputs[:-1]
    return inputs[-length:], np.array(liked, np.int64)[-length:]


class Network(nn.Module):
    """Item and position embeddings, causal transformer blocks, and logits by item embeddings."""

    def __init__(self, items: int, settings: SasRecSettings) -> None:
        super().__init__()
        self.items = nn.Embedding(items + 1, settings.dimensions)
        self.positions = nn.Embedding(settings.length, settings.dimensions)
        self.bias = nn.Parameter(torch.zeros(items))
        self.dropout = nn.Dropout(settings.dropout)
        block = nn.TransformerEncoderLayer(
            settings.dimensions,
            settings.heads,
            settings.dimensions,
            settings.dropout,
            batch_first=True,
            norm_first=True,
        )
        self.blocks = nn.TransformerEncoder(
            block,
            settings.blocks,
            norm=nn.LayerNorm(settings.dimensions),
            enable_nested_tensor=False,
        )
        nn.init.normal_(self.items.weight, std=settings.dimensions**-0.5)
        nn.init.normal_(self.positions.weight, std=settings.dimensions**-0.5)

    def forward(self, inputs: Tensor) -> Tensor:
        """States after each input, shape (windows, length, dimensions)."""
        length = inputs.shape[1]
        states = self.items(inputs) + self.positions.weight[:length]
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        states = self.blocks(self.dropout(states), mask=mask, is_causal=True)
        assert isinstance(states, Tensor)
        return states

    def logits(self, states: Tensor) -> Tensor:
        """Logits of all items, shape (..., items)."""
        return states @ self.items.weight[1:].T + self.bias
