"""The projection first, alone: on vectors that are computed once, so that it takes seconds.

A good projection also keeps the first steps of the encoder from undoing what it knows (Kumar et
al., "Fine-tuning can distort pretrained features and underperform out-of-distribution", 2022).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from penchant.domain.types import Matrix
from penchant.offline.finetune.collator import StepCollator
from penchant.offline.finetune.losses import step_loss
from penchant.offline.finetune.sequences import Segment
from penchant.offline.finetune.settings import FinetuneSettings


def fit_head(
    head: nn.Module,
    embeddings: Matrix,
    collator: StepCollator,
    segments: Sequence[Segment],
    settings: FinetuneSettings,
) -> None:
    """Trains a projection in place by the loss of the training proper; it ends on the CPU.

    Args:
        head: maps shape (n, hidden) to (n, width).
        embeddings: What it is given, of all items, shape (items, hidden).
        collator: makes steps; its preprocessing is not used.
        segments: in the order of training; `settings.segments` a step.
        settings: how; `head_steps` steps, or as many as the segments give.
    """
    head.cpu()
    steps = min(settings.head_steps, len(segments) // settings.segments)
    optimizer = torch.optim.Adam(head.parameters(), lr=settings.head_learning_rate)
    known = torch.from_numpy(embeddings)
    for step in range(steps):
        begin = step * settings.segments
        items, labels = collator.step(segments[begin : begin + settings.segments])
        vectors = head(known[items])
        loss = torch.zeros(())
        for dimensions in settings.dimensions:
            part = nn.functional.normalize(vectors[:, :dimensions], dim=-1)
            loss = loss + step_loss(part, labels, settings.loss)
        for group in optimizer.param_groups:
            group["lr"] = settings.head_learning_rate * (1 - step / steps)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()


def project(head: nn.Module, embeddings: Matrix) -> Matrix:
    """What a projection makes of embeddings, shape (n, width)."""
    device = next(head.parameters()).device
    with torch.inference_mode():
        projected: Matrix = head(torch.from_numpy(embeddings).to(device)).cpu().numpy()
    return projected
