"""Masked-language-model training of an encoder on texts alone, without any event.

J. Devlin et al., "BERT", 2019, section 3.1; continued on a domain's own text: S. Gururangan et al.,
"Don't stop pretraining", 2020.
"""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
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
from penchant.training.finetuning.finetune import hush
from penchant.training.finetuning.trainer import last_checkpoint
from penchant.training.resumption import note_begun


@dataclass(frozen=True, slots=True)
class PretrainSettings:
    """What a continued pretraining depends on besides texts and encoder."""

    steps: int = 500
    """Training steps, 1 or more."""
    batch: int = 32
    """Texts a step, 1 or more."""
    learning_rate: float = 5e-5
    """Above 0."""
    masked_share: float = 0.15
    """Of the tokens, above 0, below 1."""
    max_tokens: int = 64
    """Texts are cut after so many, 3 or more."""
    held_out_share: float = 0.1
    """Of the texts, for the loss before and after, above 0, below 1."""
    save_every: int = 100
    """Steps between two checkpoints, 1 or more."""
    seed: int = 1

    def __post_init__(self) -> None:
        for name, least in (("steps", 1), ("batch", 1), ("max_tokens", 3), ("save_every", 1)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name}: got {getattr(self, name)}, expected {least} or more")
        for name in ("masked_share", "held_out_share"):
            if not 0 < getattr(self, name) < 1:
                got = getattr(self, name)
                raise ConfigError(f"{name}: got {got}, expected above 0, below 1")
        if not self.learning_rate > 0:
            raise ConfigError(f"learning_rate: got {self.learning_rate}, expected above 0")


@dataclass(frozen=True, slots=True)
class PretrainRequest:
    """What to read, with which encoder, and where to put what comes of it."""

    texts: Sequence[str]
    source: Path
    """Hugging Face directory of the encoder to start from."""
    output: Path
    """Directory to write; checkpoints lie beside it until the training is done."""
    settings: PretrainSettings = field(default_factory=PretrainSettings)
    report_to: str = "none"
    """`tensorboard`, `wandb` or `none`."""

    @property
    def checkpoints(self) -> Path:
        """Where a training that is not done is kept."""
        return self.output.with_name(self.output.name + ".training")


@dataclass(frozen=True, slots=True)
class PretrainReport:
    """What a run did: the loss of masked tokens in held-out texts, in nats."""

    before: float
    after: float
    steps: int


def pretrain(
    request: PretrainRequest, on_step: Callable[[int], None] = lambda step: None
) -> PretrainReport:
    """Trains on, and writes the source's directory with the new weights; resumable.

    A run that was cut off goes on from its last checkpoint with the same command.

    Raises:
        ConfigError: the architecture has no masked-language-model head, there are too few texts,
            the output holds something, or the training begun there is another one.
    """
    if request.output.exists():
        raise ConfigError(f"output: {request.output} is there already; name another directory")
    settings = request.settings
    texts = sorted({text for text in request.texts if text.strip()})
    held_out = max(1, round(settings.held_out_share * len(texts)))
    if len(texts) <= held_out:
        raise ConfigError(f"texts: got {len(texts)} different ones, expected two or more")
    hush()
    set_seed(settings.seed)
    model, tokenizer = _read(request.source)
    order = np.random.default_rng(settings.seed).permutation(len(texts))
    shuffled = [texts[number] for number in order]
    _begin(request, texts)
    tokens = _tokens(shuffled, tokenizer, settings)
    collator = DataCollatorForLanguageModeling(tokenizer, mlm_probability=settings.masked_share)
    trainer = Trainer(
        model=model,
        args=_arguments(request),
        train_dataset=Dataset.from_list(tokens[held_out:]),
        data_collator=collator,
        callbacks=[_Progress(on_step)],
    )
    trainer.remove_callback(PrinterCallback)
    last = last_checkpoint(request.checkpoints)
    before = _loss(model, tokens[:held_out], collator, settings)
    trainer.train(resume_from_checkpoint=None if last is None else str(last))
    after = _loss(model, tokens[:held_out], collator, settings)
    _write(request, model)
    return PretrainReport(before, after, int(trainer.state.global_step))


def _read(source: Path) -> tuple[Any, Any]:
    config = AutoConfig.from_pretrained(source, local_files_only=True)
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


def _begin(request: PretrainRequest, texts: Sequence[str]) -> None:
    """Notes what is begun, or sees that it is what was begun before."""
    begun: dict[str, object] = {
        "settings": dataclasses.asdict(request.settings),
        "source": str(request.source.resolve()),
        "texts": hashlib.blake2b("\0".join(texts).encode(), digest_size=8).hexdigest(),
    }
    note_begun(request.checkpoints, begun)


def _tokens(
    texts: Sequence[str], tokenizer: Any, settings: PretrainSettings
) -> list[dict[str, list[int]]]:
    most = settings.max_tokens
    return [
        {"input_ids": tokenizer(text, truncation=True, max_length=most)["input_ids"]}
        for text in texts
    ]


def _loss(
    model: Any, rows: list[dict[str, list[int]]], collator: Any, settings: PretrainSettings
) -> float:
    """Mean loss of the held-out texts, always under the same masks."""
    model.eval()
    losses, masked = 0.0, 0
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        for start in range(0, len(rows), settings.batch):
            batch = collator(rows[start : start + settings.batch]).to(model.device)
            count = int((batch["labels"] != -100).sum())
            if count:
                losses += float(model(**batch).loss) * count
                masked += count
    model.train()
    return losses / max(masked, 1)


def _arguments(request: PretrainRequest) -> TrainingArguments:
    settings = request.settings
    every = min(settings.save_every, settings.steps)
    options: dict[str, Any] = {
        "output_dir": str(request.checkpoints),
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
        "report_to": request.report_to,
    }
    return TrainingArguments(**options)


class _Progress(TrainerCallback):
    """Tells each step that is done."""

    def __init__(self, on_step: Callable[[int], None]) -> None:
        self._on_step = on_step

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._on_step(state.global_step)


def _write(request: PretrainRequest, model: Any) -> None:
    """The source's files with the new weights of the encoder, without the head; all or nothing."""
    output = request.output
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as temporary:
        made = Path(temporary) / output.name
        old_weights = shutil.ignore_patterns("*.safetensors", "pytorch_model*.bin", "onnx*")
        shutil.copytree(request.source, made, ignore=old_weights)
        model.base_model.save_pretrained(made)
        made.replace(output)
    shutil.rmtree(request.checkpoints)
