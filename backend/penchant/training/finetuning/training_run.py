"""Training of an encoder with checkpoints; an interrupted training resumes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.losses import MatryoshkaLoss
from torch import nn
from transformers import PrinterCallback, TrainerState

from penchant.domain.errors import ConfigError
from penchant.domain.types import Matrix
from penchant.training.finetuning.collator import StepCollator
from penchant.training.finetuning.finetune_settings import FinetuneSettings
from penchant.training.finetuning.losses import StepLoss
from penchant.training.finetuning.trainable_encoder import HEAD, encode, has_head
from penchant.training.finetuning.trainer import (
    EarlyStop,
    FinetuneTrainer,
    InPlannedOrder,
    ProgressCallback,
    RankingEvaluator,
    TimeLimit,
)
from penchant.training.finetuning.training_data import TrainingData
from penchant.training.finetuning.training_progress import (
    METRIC,
    SILENT,
    TrainingOutcome,
    TrainingProgress,
)
from penchant.training.resumption import last_checkpoint
from penchant.training.validation_rankings import ValidationRankings

START, RESULT, VECTORS = "start", "validation.json", "vectors.npy"


def train(
    model: SentenceTransformer,
    texts: Sequence[str],
    data: TrainingData,
    rankings: ValidationRankings,
    settings: FinetuneSettings,
    checkpoints: Path,
    *,
    teacher: Matrix | None = None,
    limit_s: float = math.inf,
    report_to: str = "none",
    progress: TrainingProgress = SILENT,
) -> TrainingOutcome:
    """Trains an encoder in place, to its best weights on the validation part.

    Args:
        model: an encoder with its projection; see `read_encoder` and `prepare_head`.
        texts: texts of all items.
        data: events of the round.
        rankings: rankings of the validation part.
        settings: settings of the fine-tuning.
        checkpoints: directory for checkpoints; training resumes from the last one in it.
        teacher: the last encoder's vectors of all items, shape (items, width); None: no
            distillation.
        limit_s: seconds after which training stops with a checkpoint.
        report_to: see `FinetuneRequest.report_to`.
        progress: callbacks for steps and metrics.

    Raises:
        ConfigError: a package for `report_to` is missing, or a checkpoint does not fit.
    """
    if not settings.steps:
        return TrainingOutcome(0, "steps", 0, ())
    limit = TimeLimit(limit_s)
    collator = make_collator(model, texts, data, settings, teacher)
    rows = {
        "history": [number for number, _ in data.segments],
        "start": [start for _, start in data.segments],
    }
    try:
        trainer = FinetuneTrainer(
            model=model,
            args=_arguments(model, settings, checkpoints, report_to),
            train_dataset=Dataset.from_dict(rows),
            loss=_loss(model, settings, teacher is not None),
            evaluator=RankingEvaluator(rankings, texts, settings.dimensions),
            data_collator=cast(Any, collator),
            callbacks=[EarlyStop(settings.patience), limit, ProgressCallback(progress)],
        )
    except (ImportError, RuntimeError) as error:
        if "install" not in str(error):
            raise
        raise ConfigError(f"report_to: {report_to}: {error}") from error
    trainer.remove_callback(PrinterCallback)
    with denormals_as_zero():
        found = last_checkpoint(checkpoints)
        if found is None:
            _keep_start(trainer, checkpoints / START, texts)
        if settings.hard_negatives:
            collator.mining_vectors = np.load(checkpoints / START / VECTORS)
        trainer.train(resume_from_checkpoint=None if found is None else str(found))
    state = trainer.state
    best_step = state.best_global_step or state.global_step
    if not limit.reached and _read_start(checkpoints / START) >= _best_of(state):
        trainer.load_weights(checkpoints / START)
        best_step = 0
    ended = "steps" if state.global_step >= settings.steps else "patience"
    return TrainingOutcome(
        steps=state.global_step,
        stopped_by="time" if limit.reached else ended,
        best_step=best_step,
        log=tuple(state.log_history),
    )


@contextmanager
def denormals_as_zero() -> Iterator[None]:
    """Treats denormal numbers as 0, which on a CPU are many times slower than others.

    The switch holds for the whole thread, so it is reset afterwards for the sake of callers.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _keep_start(trainer: FinetuneTrainer, directory: Path, texts: Sequence[str]) -> None:
    """Saves the weights before the first step, their vectors, and their validation metrics."""
    trainer.save_weights(directory)
    np.save(directory / VECTORS, encode(trainer.model, texts))
    assert trainer.evaluator is not None
    found = trainer.evaluator(trainer.model)
    assert isinstance(found, dict)
    (directory / RESULT).write_text(json.dumps(found) + "\n", encoding="utf-8")


def _read_start(directory: Path) -> float:
    return float(json.loads((directory / RESULT).read_text(encoding="utf-8"))[METRIC])


def _best_of(state: TrainerState) -> float:
    return -math.inf if state.best_metric is None else state.best_metric


def make_collator(
    model: SentenceTransformer,
    texts: Sequence[str],
    data: TrainingData,
    settings: FinetuneSettings,
    teacher: Matrix | None,
) -> StepCollator:
    """Makes the collator of a round; for the arguments see `train`."""
    return StepCollator(
        model.preprocess,
        texts,
        data.histories,
        settings.objective,
        settings.segment_likes,
        settings.nearness,
        teacher,
        settings.hard_negatives,
    )


def _loss(model: SentenceTransformer, settings: FinetuneSettings, distil: bool) -> nn.Module:
    loss: nn.Module = StepLoss(
        model, settings.loss, settings.distillation_weight if distil else 0.0
    )
    if len(settings.dimensions) > 1:
        loss = MatryoshkaLoss(model, loss, sorted(settings.dimensions, reverse=True))
    return loss


def _arguments(
    model: SentenceTransformer, settings: FinetuneSettings, checkpoints: Path, report_to: str
) -> SentenceTransformerTrainingArguments:
    gpu = torch.cuda.is_available()
    bf16 = settings.precision == "bf16"
    if settings.precision == "auto":
        bf16 = gpu and torch.cuda.is_bf16_supported()
    every = min(settings.evaluate_every, settings.steps)
    heads = {rf"\b{HEAD}\.": settings.head_learning_rate} if has_head(model) else {}
    options: dict[str, Any] = {
        "output_dir": str(checkpoints),
        "max_steps": settings.steps,
        "per_device_train_batch_size": settings.segments,
        "learning_rate": settings.encoder_learning_rate,
        "learning_rate_mapping": heads,
        "lr_scheduler_type": "linear",
        "warmup_steps": round(settings.warm_up_fraction * settings.steps),
        "weight_decay": 0.01,
        "batch_sampler": InPlannedOrder,
        "dataloader_drop_last": True,
        "dataloader_pin_memory": gpu,
        "remove_unused_columns": False,
        "eval_strategy": "steps",
        "eval_steps": every,
        "save_strategy": "steps",
        "save_steps": every,
        "save_total_limit": 2,
        "logging_steps": min(10, every),
        "load_best_model_at_end": True,
        "metric_for_best_model": METRIC,
        "greater_is_better": True,
        "seed": settings.seed,
        "bf16": bf16,
        "fp16": settings.precision == "fp16",
        "use_cpu": not gpu,
        "disable_tqdm": True,
        "report_to": report_to,
    }
    return SentenceTransformerTrainingArguments(**options)
