"""sentence-transformers' trainer, told how our steps look, when to stop, and how to show it."""

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
from penchant.training.finetuning.trainable_encoder import encode
from penchant.training.validation_rankings import Ranker

METRIC = "ndcg@10"
WEIGHTS = "trained.safetensors"


class Trainer(SentenceTransformerTrainer):
    """Checkpoints hold the weights that training changes and nothing else of the encoder."""

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """Leaves out the model card, which would encode sample texts."""

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        self.save_weights(Path(output_dir or str(self.args.output_dir)))

    def _load_from_checkpoint(
        self, resume_from_checkpoint: str, model: nn.Module | None = None
    ) -> None:
        self.load_weights(Path(resume_from_checkpoint))

    def save_weights(self, directory: Path) -> None:
        """Writes the weights that training changes."""
        directory.mkdir(parents=True, exist_ok=True)
        trained = {name for name, weight in self.model.named_parameters() if weight.requires_grad}
        state = self.model.state_dict()
        save_file({name: state[name].contiguous() for name in trained}, directory / WEIGHTS)

    def load_weights(self, directory: Path) -> None:
        """Reads what `save_weights` wrote; ConfigError where it is another encoder's."""
        weights = load_file(directory / WEIGHTS)
        unknown = self.model.load_state_dict(weights, strict=False).unexpected_keys
        if unknown:
            raise ConfigError(
                f"checkpoint: {directory} holds weights of another encoder "
                f"({unknown[0]}); remove the directory, or name another output"
            )


class InPlannedOrder(DefaultBatchSampler):
    """Batches of rows as they lie: the plan is shuffled already, so that resuming is exact."""

    def __init__(self, dataset: Dataset, batch_size: int, drop_last: bool, **ignored: Any) -> None:
        super().__init__(SequentialSampler(dataset), batch_size=batch_size, drop_last=drop_last)


@dataclass(eq=False)
class RankingEvaluator(BaseEvaluator):
    """NDCG@10 and recall@10 on the validation part, of the vectors of each length."""

    ranker: Ranker
    texts: Sequence[str]
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
        """The metrics; those of smaller vectors have their length behind the name."""
        vectors = encode(model, self.texts)
        found: dict[str, float] = {}
        widest = max(self.dimensions)
        for dimensions in sorted(self.dimensions, reverse=True):
            part = vectors[:, :dimensions]
            part = part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-12)
            quality = self.ranker.quality(part.astype(np.float32))
            behind = "" if dimensions == widest else f"/{dimensions}"
            found[METRIC + behind] = quality.ndcg
            found["recall@10" + behind] = quality.recall
        return found


class Patience(TrainerCallback):
    """Stops after so many looks without a new best; reads the log alone, so resuming is exact."""

    def __init__(self, looks: int) -> None:
        self._looks = looks

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Called after each look, when its result is in the log."""
        results = [row[f"eval_{METRIC}"] for row in state.log_history if f"eval_{METRIC}" in row]
        if results and len(results) - 1 - int(np.argmax(results)) >= self._looks:
            control.should_training_stop = True


class TimeLimit(TrainerCallback):
    """Stops with a checkpoint after so many seconds; the next run goes on from it."""

    def __init__(self, limit_s: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self._limit_s = limit_s
        self._now_s = now_s
        self._began_s = now_s()
        self.reached = False

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Looks at the clock."""
        if state.global_step < state.max_steps and self._now_s() - self._began_s >= self._limit_s:
            self.reached = True
            control.should_save = control.should_training_stop = True


class Progress(TrainerCallback):
    """Tells of each step and each log row."""

    def __init__(self, on_step: Callable[[int], None], on_log: Callable[[dict[str, float]], None]):
        self._on_step = on_step
        self._on_log = on_log

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Tells the step that is done."""
        self._on_step(state.global_step)

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Tells the last row."""
        if state.log_history:
            self._on_log(state.log_history[-1])


def last_checkpoint(directory: Path) -> Path | None:
    """The newest complete checkpoint in a directory; None without one."""
    found = [
        path for path in directory.glob("checkpoint-*") if (path / "trainer_state.json").is_file()
    ]
    return max(found, key=lambda path: int(path.name.rsplit("-", 1)[1]), default=None)
