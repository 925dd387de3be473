"""Training of an encoder on masked tokens, with checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import (
    AutoConfig,
    AutoModelForMaskedLM,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from penchant.domain.errors import ConfigError
from penchant.encoder.source import check_source
from penchant.training.pretrain_settings import PretrainSettings


class MaskedTokens:
    """An encoder with a masked-language-model head, and its training."""

    def __init__(self, source: Path, settings: PretrainSettings) -> None:
        """Reads the encoder, in float32, and seeds all random generators.

        Raises:
            ConfigError: the architecture has no such head, or the tokenizer no mask token.
        """
        set_seed(settings.seed)
        self._settings = settings
        self._model, self._tokenizer = _read(source)
        self._collator = DataCollatorForLanguageModeling(
            self._tokenizer, mlm_probability=settings.masked_share
        )

    def loss(self, texts: Sequence[str]) -> float:
        """Mean loss of masked tokens, in nats; the same texts always get the same masks."""
        rows, batch_size = self._rows(texts), self._settings.batch
        self._model.eval()
        losses, masked = 0.0, 0
        with torch.no_grad(), torch.random.fork_rng():
            torch.manual_seed(self._settings.seed)
            for start in range(0, len(rows), batch_size):
                batch: Any = self._collator(rows[start : start + batch_size])
                batch = batch.to(self._model.device)
                count = int((batch["labels"] != -100).sum())
                if count:
                    losses += float(self._model(**batch).loss) * count
                    masked += count
        self._model.train()
        return losses / max(masked, 1)

    def run(
        self,
        texts: Sequence[str],
        checkpoints: Path,
        report_to: str,
        resumed: Path | None,
        on_step: Callable[[int], None],
    ) -> int:
        """Trains to the last step of the settings.

        Args:
            texts: texts to train on.
            checkpoints: directory for checkpoints.
            report_to: see `PretrainRequest.report_to`.
            resumed: checkpoint to resume from; None: start at step 0.
            on_step: called with the number of each finished step.

        Returns:
            Steps trained, including those before the checkpoint.
        """
        trainer = Trainer(
            model=self._model,
            args=_arguments(self._settings, checkpoints, report_to),
            train_dataset=Dataset.from_list(self._rows(texts)),
            data_collator=self._collator,
            callbacks=[_StepCallback(on_step)],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train(resume_from_checkpoint=None if resumed is None else str(resumed))
        return int(trainer.state.global_step)

    def save(self, directory: Path) -> None:
        """Writes the encoder's weights, without the head."""
        self._model.base_model.save_pretrained(directory)

    def _rows(self, texts: Sequence[str]) -> list[dict[str, list[int]]]:
        most = self._settings.max_tokens
        return [
            {"input_ids": self._tokenizer(text, truncation=True, max_length=most)["input_ids"]}
            for text in texts
        ]


def _read(source: Path) -> tuple[Any, Any]:
    check_source(source)
    try:
        config = AutoConfig.from_pretrained(source, local_files_only=True)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise ConfigError(f"source: {source} can't be read: {error}") from error
    if config.model_type not in MODEL_FOR_MASKED_LM_MAPPING_NAMES:
        raise ConfigError(
            f"source: {source}: got a {config.model_type}, which predicts no masked tokens, "
            "expected an encoder such as a BERT, a RoBERTa or an MPNet"
        )
    tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=True)
    if tokenizer.mask_token is None:
        raise ConfigError(f"source: {source}: its tokenizer has no mask token, expected one")
    model = AutoModelForMaskedLM.from_pretrained(source, local_files_only=True, dtype=torch.float32)
    return model, tokenizer


def _arguments(settings: PretrainSettings, checkpoints: Path, report_to: str) -> TrainingArguments:
    every = min(settings.save_every, settings.steps)
    options: dict[str, Any] = {
        "output_dir": str(checkpoints),
        "max_steps": settings.steps,
        "per_device_train_batch_size": settings.batch,
        "learning_rate": settings.learning_rate,
        "warmup_steps": settings.steps // 10,
        "weight_decay": 0.01,
        "save_steps": every,
        "save_total_limit": 2,
        "logging_steps": min(10, every),
        "seed": settings.seed,
        "use_cpu": not torch.cuda.is_available(),
        "dataloader_pin_memory": torch.cuda.is_available(),
        "disable_tqdm": True,
        "report_to": report_to,
    }
    return TrainingArguments(**options)


class _StepCallback(TrainerCallback):
    """Reports each finished step."""

    def __init__(self, on_step: Callable[[int], None]) -> None:
        self._on_step = on_step

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._on_step(state.global_step)
