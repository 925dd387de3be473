"""The projection first, alone: on vectors that are computed once, so that it takes seconds.

A good projection also keeps the first steps of the encoder from undoing what it knows (Kumar et
al., "Fine-tuning can distort pretrained features and underperform out-of-distribution", 2022).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from sentence_transformers import SentenceTransformer
from torch import nn

from penchant.domain.errors import ConfigError
from penchant.domain.types import Matrix
from penchant.training.finetuning.collator import StepCollator
from penchant.training.finetuning.finetune_settings import FinetuneSettings
from penchant.training.finetuning.losses import training_loss
from penchant.training.finetuning.sequences import Segment
from penchant.training.finetuning.trainable_encoder import (
    add_head,
    embed,
    embed_before_head,
    has_head,
    head_of,
    unit,
)
from penchant.training.finetuning.training_data import Material
from penchant.training.finetuning.training_run import make_collator, tiny_numbers_as_zero


def prepare_head(
    model: SentenceTransformer,
    texts: Sequence[str],
    material: Material,
    settings: FinetuneSettings,
    *,
    continued: bool,
    begun: bool,
    on_stage: Callable[[str], None],
) -> Matrix:
    """Gives the encoder its projection, if it has none yet, and trains it alone.

    A projection that is there already is trained alone only where nothing else is (`steps` 0);
    else it learns on together with the encoder.

    Args:
        model: the encoder.
        texts: of all items.
        material: what to train on.
        settings: how.
        continued: The encoder is the last round's, whose vectors are held.
        begun: The training proper has begun already; its checkpoint holds the projection.
        on_stage: told when the training of the projection begins.

    Returns:
        Unit vectors of all items before all training, shape (items, width).

    Raises:
        ConfigError: the width is too large, or there is nothing to train.
    """
    there = has_head(model)
    if there and not settings.steps and not settings.head_steps:
        raise ConfigError("steps, head_steps: got 0 and 0, expected one of them above 0")
    embeddings = embed_before_head(model, texts) if there else embed(model, texts)
    head = head_of(model) if there else add_head(model, settings.width, embeddings)
    vectors = unit(project(head, embeddings))
    if (not there or not settings.steps) and not begun:
        on_stage("Fitting the projection")
        teacher = vectors if continued else None
        collator = make_collator(model, texts, material, settings, teacher)
        with tiny_numbers_as_zero():
            fit_head(head, embeddings, collator, material.segments, settings)
        head.to(model.device)
    return vectors


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
        collator: makes steps; its preprocessing is not used. With a teacher, vectors are held to
            the teacher's.
        segments: in the order of training; `settings.segments` a step.
        settings: how; `head_steps` steps, or as many as the segments give.
    """
    head.cpu()
    steps = min(settings.head_steps, len(segments) // settings.segments)
    optimizer = torch.optim.Adam(head.parameters(), lr=settings.head_learning_rate)
    known = torch.from_numpy(embeddings)
    for step in range(steps):
        if settings.hard_negatives and step % settings.evaluate_every == 0:
            collator.mined_by = unit(project(head, embeddings))
        begin = step * settings.segments
        items, labels = collator.step(segments[begin : begin + settings.segments])
        vectors = head(known[items])
        loss = torch.zeros(())
        for dimensions in settings.dimensions:
            part = nn.functional.normalize(vectors[:, :dimensions], dim=-1)
            loss = loss + training_loss(part, labels, settings.loss, settings.distillation_weight)
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
