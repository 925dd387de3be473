"""One training with checkpoints: begun, or gone on with where a killed one stopped."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
    METRIC,
    InPlannedOrder,
    Patience,
    Progress,
    RankingEvaluator,
    TimeLimit,
    Trainer,
    last_checkpoint,
)
from penchant.training.finetuning.training_data import Material
from penchant.training.validation_rankings import Ranker

START, RESULT, VECTORS = "start", "validation.json", "vectors.npy"


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told what, and when to stop."""

    on_step: Callable[[int], None] = lambda step: None
    """Told the number of each step that is done."""
    on_log: Callable[[dict[str, float]], None] = lambda row: None
    """Told each row of the training log."""
    limit_s: float = math.inf
    """Training stops after so many seconds, and goes on in the next run."""
    report_to: str = "none"
    """`tensorboard`, `wandb` or `none`."""


@dataclass(frozen=True, slots=True)
class Trained:
    """How a training ended."""

    steps: int
    stopped_by: str
    """`steps`: all were done; `patience`: no new best for long; `time`: go on with another run."""
    best_step: int
    """Whose weights the model has now; 0: no look was better than the start."""
    log: tuple[dict[str, float], ...]
    """All rows, those of earlier runs included."""


def train(
    model: SentenceTransformer,
    texts: Sequence[str],
    material: Material,
    ranker: Ranker,
    settings: FinetuneSettings,
    checkpoints: Path,
    teacher: Matrix | None = None,
    watch: Watch | None = None,
) -> Trained:
    """Trains a model in place, to its best weights on the validation part.

    Args:
        model: as `load_encoder` makes it.
        texts: of all items of the stream.
        material: what to train on.
        ranker: judges the validation part.
        settings: how.
        checkpoints: Directory; where a checkpoint is in it, training goes on from there.
        teacher: The last encoder's vectors of all items, shape (items, width); None: without.
        watch: who is told.

    Raises:
        ConfigError: a package for `report_to` is missing, or a checkpoint does not fit.
    """
    watch = watch or Watch()
    if not settings.steps:
        return Trained(0, "steps", 0, ())
    limit = TimeLimit(watch.limit_s)
    collator = make_collator(model, texts, material, settings, teacher)
    rows = {
        "history": [number for number, _ in material.segments],
        "start": [start for _, start in material.segments],
    }
    try:
        trainer = Trainer(
            model=model,
            args=_arguments(model, settings, checkpoints, watch.report_to),
            train_dataset=Dataset.from_dict(rows),
            loss=_loss(model, settings, teacher is not None),
            evaluator=RankingEvaluator(ranker, texts, settings.dimensions),
            data_collator=cast(Any, collator),
            callbacks=[Patience(settings.patience), limit, Progress(watch.on_step, watch.on_log)],
        )
    except (ImportError, RuntimeError) as error:
        if "install" not in str(error):
            raise
        raise ConfigError(f"report_to: {watch.report_to}: {error}") from error
    trainer.remove_callback(PrinterCallback)
    with tiny_numbers_as_zero():
        found = last_checkpoint(checkpoints)
        if found is None:
            _keep_start(trainer, checkpoints / START, texts)
        if settings.hard_negatives:
            collator.mined_by = np.load(checkpoints / START / VECTORS)
        trainer.train(resume_from_checkpoint=None if found is None else str(found))
    state = trainer.state
    best_step = state.best_global_step or state.global_step
    if not limit.reached and _read_start(checkpoints / START) >= _best_of(state):
        trainer.load_weights(checkpoints / START)
        best_step = 0
    ended = "steps" if state.global_step >= settings.steps else "patience"
    return Trained(
        steps=state.global_step,
        stopped_by="time" if limit.reached else ended,
        best_step=best_step,
        log=tuple(state.log_history),
    )


@contextmanager
def tiny_numbers_as_zero() -> Iterator[None]:
    """On a CPU, numbers too small for float32's normal range are many times slower than others.

    Only here: the switch is the whole thread's, and whoever calls us may need such numbers.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _keep_start(trainer: Trainer, directory: Path, texts: Sequence[str]) -> None:
    """Saves the weights before the first step, their vectors, and how well they rank validation."""
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
    material: Material,
    settings: FinetuneSettings,
    teacher: Matrix | None,
) -> StepCollator:
    """What turns segments of the material into steps; see `train`."""
    return StepCollator(
        model.preprocess,
        texts,
        material.histories,
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
        "learning_rate": settings.learning_rate,
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
