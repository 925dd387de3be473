"""Distillation: a smaller encoder learns to reproduce a larger one's vectors.

    loss = mean over texts of 1 - cos(student(text), teacher(text))

The texts are the catalog's, noisy copies of them and parts of them, so that queries are covered too
(G. Hinton, O. Vinyals and J. Dean, "Distilling the knowledge in a neural network", 2015, with
vectors in place of class probabilities). It is short, so an interrupted run starts again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.util import batch_to_device
from torch.nn.functional import cosine_similarity

from penchant.domain.types import Matrix
from penchant.evaluation.text_noise import in_small_letters, with_typos
from penchant.training.finetuning.trainable_encoder import transformer_of

TYPOS = 0.05
"""Share of the letters changed in noisy copies."""
WARM_UP = 0.1
"""Share of the steps in which the learning rate rises; afterwards it falls to 0."""


def training_texts(texts: Sequence[str], seed: int) -> list[str]:
    """The texts, a noisy copy of each, and a part of each, as in a query; duplicates removed."""
    random = np.random.default_rng(seed)
    parts = [_part(text, random) for text in texts]
    noisy = [with_typos(in_small_letters(text), TYPOS, seed) for text in texts]
    return list(dict.fromkeys([*texts, *noisy, *parts]))


def distil(
    student: SentenceTransformer,
    texts: Sequence[str],
    vectors: Matrix,
    steps: int,
    batch: int = 32,
    learning_rate: float = 5e-4,
    seed: int = 0,
    on_step: Callable[[int, float], None] = lambda step, loss: None,
) -> None:
    """Trains all weights of the student except its embeddings; equal seeds give equal weights.

    Args:
        student: trained in place.
        texts: n texts.
        vectors: the teacher's vectors of the texts, shape (n, d).
        steps: number of steps, 0 or more.
        batch: texts per step.
        learning_rate: peak learning rate.
        seed: seed of the order of the texts.
        on_step: called after each step with its number, from 1, and its loss.
    """
    torch.manual_seed(seed)
    transformer_of(student).get_input_embeddings().requires_grad_(False)
    weights = [weight for weight in student.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=learning_rate)
    rising = max(1, int(WARM_UP * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / rising, (steps - step) / max(1, steps - rising))
    )
    random = np.random.default_rng(seed)
    order = np.concatenate(
        [random.permutation(len(texts)) for _ in range(1 + steps * batch // len(texts))]
    )
    student.train()
    for step in range(steps):
        rows = order[step * batch : (step + 1) * batch]
        features = batch_to_device(student.preprocess([texts[row] for row in rows]), student.device)
        given = student(features)["sentence_embedding"]
        expected = torch.from_numpy(vectors[rows]).to(student.device)
        loss = (1 - cosine_similarity(given, expected)).mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        schedule.step()
        on_step(step + 1, float(loss.detach()))
    student.eval()


def _part(text: str, random: np.random.Generator) -> str:
    words = text.split()
    if len(words) < 3:
        return text
    length = int(random.integers(1, len(words)))
    start = int(random.integers(0, len(words) - length + 1))
    return " ".join(words[start : start + length])
