"""Training of the projection alone, on embeddings computed once; it takes seconds.

Starting from a good projection also keeps the encoder's first steps from distorting pretrained
features (Kumar et al., "Fine-tuning can distort pretrained features and underperform
out-of-distribution", 2022).
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
from penchant.training.finetuning.training_data import TrainingData
from penchant.training.finetuning.training_run import denormals_as_zero, make_collator


def prepare_head(
    model: SentenceTransformer,
    texts: Sequence[str],
    data: TrainingData,
    settings: FinetuneSettings,
    *,
    continued: bool,
    resumed: bool,
    on_stage: Callable[[str], None],
) -> Matrix:
    """Adds a projection to an encoder without one, and trains it alone.

    An existing projection is trained alone only if nothing else is (`steps` 0); otherwise it learns
    together with the encoder.

    Args:
        model: the encoder, changed in place.
        texts: texts of all items.
        data: events of the round.
        settings: settings of the fine-tuning.
        continued: whether the encoder is the last round's; its vectors are then distilled.
        resumed: whether a checkpoint of the encoder's training exists; it holds the projection.
        on_stage: called when training of the projection begins.

    Returns:
        Unit vectors of all items before any training, shape (items, width).

    Raises:
        ConfigError: the width is too large, or there is nothing to train.
    """
    there = has_head(model)
    if there and not settings.steps and not settings.head_steps:
        raise ConfigError("steps, head_steps: got 0 and 0, expected one of them above 0")
    embeddings = embed_before_head(model, texts) if there else embed(model, texts)
    head = head_of(model) if there else add_head(model, settings.width, embeddings)
    vectors = unit(project(head, embeddings))
    if (not there or not settings.steps) and not resumed:
        on_stage("Fitting the projection")
        teacher = vectors if continued else None
        collator = make_collator(model, texts, data, settings, teacher)
        with denormals_as_zero():
            fit_head(head, embeddings, collator, data.segments, settings)
        head.to(model.device)
    return vectors


def fit_head(
    head: nn.Module,
    embeddings: Matrix,
    collator: StepCollator,
    segments: Sequence[Segment],
    settings: FinetuneSettings,
) -> None:
    """Trains a projection in place, by the loss of the encoder's training; it ends on the CPU.

    Args:
        head: maps shape (n, hidden) to (n, width).
        embeddings: the encoder's embeddings of all items, shape (items, hidden).
        collator: makes steps; its `preprocess` is not used, its teacher is distilled.
        segments: segments in training order, `settings.segments` per step.
        settings: settings of the fine-tuning; trains `head_steps` steps, or fewer if the segments
            run out.
    """
    head.cpu()
    steps = min(settings.head_steps, len(segments) // settings.segments)
    optimizer = torch.optim.Adam(head.parameters(), lr=settings.head_learning_rate)
    known = torch.from_numpy(embeddings)
    for step in range(steps):
        if settings.hard_negatives and step % settings.evaluate_every == 0:
            collator.mining_vectors = unit(project(head, embeddings))
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
    """Applies a projection to embeddings of shape (n, hidden); returns shape (n, width)."""
    device = next(head.parameters()).device
    with torch.inference_mode():
        projected: Matrix = head(torch.from_numpy(embeddings).to(device)).cpu().numpy()
    return projected
