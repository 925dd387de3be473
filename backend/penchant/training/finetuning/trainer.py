"""The trainer of sentence-transformers, with the steps, stops and reports of a fine-tuning."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformerTrainer
from sentence_transformers.base.evaluation import BaseEvaluator
from sentence_transformers.base.sampler import DefaultBatchSampler
from torch import nn
from torch.utils.data import SequentialSampler
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from penchant.domain.errors import ConfigError
from penchant.training.finetuning.trainable_encoder import encode, unit
from penchant.training.finetuning.training_progress import METRIC, TrainingProgress
from penchant.training.resumption import TRAINED_WEIGHTS
from penchant.training.validation_rankings import ValidationRankings


class FinetuneTrainer(SentenceTransformerTrainer):
    """A trainer whose checkpoints hold only the weights that training changes."""

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """Omits the model card, which would encode sample texts."""

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        self.save_weights(Path(output_dir or str(self.args.output_dir)))

    def _load_from_checkpoint(
        self, resume_from_checkpoint: str, model: nn.Module | None = None
    ) -> None:
        self.load_weights(Path(resume_from_checkpoint))

    def save_weights(self, directory: Path) -> None:
        """Writes the weights that training changes into a directory."""
        directory.mkdir(parents=True, exist_ok=True)
        trained = {name for name, weight in self.model.named_parameters() if weight.requires_grad}
        state = self.model.state_dict()
        save_file({name: state[name].contiguous() for name in trained}, directory / TRAINED_WEIGHTS)

    def load_weights(self, directory: Path) -> None:
        """Reads weights that `save_weights` wrote.

        Raises:
            ConfigError: they belong to another encoder.
        """
        weights = load_file(directory / TRAINED_WEIGHTS)
        unknown = self.model.load_state_dict(weights, strict=False).unexpected_keys
        if unknown:
            raise ConfigError(
                f"checkpoint: {directory} holds weights of another encoder "
                f"({unknown[0]}); remove the directory, or name another output"
            )


class InPlannedOrder(DefaultBatchSampler):
    """Batches rows in order: the plan is shuffled already, so resuming is exact."""

    def __init__(self, dataset: Dataset, batch_size: int, drop_last: bool, **ignored: Any) -> None:
        super().__init__(SequentialSampler(dataset), batch_size=batch_size, drop_last=drop_last)


@dataclass(eq=False)
class RankingEvaluator(BaseEvaluator):
    """NDCG@10 and recall@10 on the validation part, for vectors of each length."""

    rankings: ValidationRankings
    texts: Sequence[str]
    """Texts of all items."""
    dimensions: Sequence[int]
    greater_is_better: bool = True
    primary_metric: str = METRIC

    def __call__(
        self,
        model: Any,
        output_path: str | None = None,
        epoch: float = -1,
        steps: int = -1,
    ) -> dict[str, float]:
        """The metrics by name; those of shorter vectors end in the length, as in `ndcg@10/32`."""
        vectors = encode(model, self.texts)
        found: dict[str, float] = {}
        widest = max(self.dimensions)
        for dimensions in sorted(self.dimensions, reverse=True):
            quality = self.rankings.quality(unit(vectors[:, :dimensions]))
            suffix = "" if dimensions == widest else f"/{dimensions}"
            found[METRIC + suffix] = quality.ndcg
            found["recall@10" + suffix] = quality.recall
        return found


class EarlyStop(TrainerCallback):
    """Stops after some evaluations without a new best; reads only the log, so resuming is exact."""

    def __init__(self, patience: int) -> None:
        self._patience = patience

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Called after each evaluation, once its result is in the log."""
        results = [row[f"eval_{METRIC}"] for row in state.log_history if f"eval_{METRIC}" in row]
        if results and len(results) - 1 - int(np.argmax(results)) >= self._patience:
            control.should_training_stop = True


class TimeLimit(TrainerCallback):
    """Stops with a checkpoint after a number of seconds; the next run resumes from it."""

    def __init__(self, limit_s: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self._limit_s = limit_s
        self._now_s = now_s
        self._began_s = now_s()
        self.reached = False

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Checks the time after each step."""
        if state.global_step < state.max_steps and self._now_s() - self._began_s >= self._limit_s:
            self.reached = True
            control.should_save = control.should_training_stop = True


class ProgressCallback(TrainerCallback):
    """Reports each step and each row of the training log."""

    def __init__(self, progress: TrainingProgress) -> None:
        self._progress = progress

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Reports the finished step."""
        self._progress.on_step(state.global_step)

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Reports the newest row."""
        if state.log_history:
            self._progress.on_metrics(state.log_history[-1])
