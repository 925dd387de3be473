"""A smaller encoder of a larger one: fewer layers, taught by it, and a vocabulary in use."""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

from penchant.domain.errors import ConfigError
from penchant.training.compress.distillation import distil, training_texts
from penchant.training.compress.encoder_comparison import (
    Change,
    Judge,
    check_budget,
    check_output,
    compare,
    require_within,
)
from penchant.training.compress.layers import drop_layers, layers_of
from penchant.training.compress.vocabulary import (
    state_of,
    tokens_in_use,
    trim_embeddings,
    write_tokenizer,
)
from penchant.training.finetuning.finetune import hush
from penchant.training.finetuning.provenance import NOTE
from penchant.training.finetuning.trainable_encoder import encode, read_encoder

PRUNED = "prune.json"
OnStep = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class PruneSettings:
    """What is taken away, and how the rest is taught."""

    layers: int = 3
    """To keep, 1 or more."""
    trim_vocabulary: bool = True
    steps: int = 600
    """Of the distillation, 0 or more."""
    learning_rate: float = 5e-4
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("layers", 1), ("steps", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name}: got {getattr(self, name)}, expected {least} or more")


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a pruning made."""

    directory: Path
    kept_layers: tuple[int, ...]
    """Their places in the original, from 1."""
    layers: int
    """Of the original."""
    kept_tokens: int
    tokens: int
    change: Change


class _Model:
    """A PyTorch encoder as the measuring takes it."""

    version = "pytorch"

    def __init__(self, model: SentenceTransformer) -> None:
        self.model = model
        self.dimensions = int(model.get_embedding_dimension() or 0)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return encode(self.model, texts)


def prune(
    source: Path,
    output: Path,
    judge: Judge,
    settings: PruneSettings | None = None,
    more_texts: Sequence[str] = (),
    max_loss: float = 0.03,
    on_step: OnStep = lambda step: None,
) -> Pruned:
    """Prunes an encoder; one that is in the output already is replaced.

    Args:
        source: a Hugging Face directory, as `penchant finetune` writes it.
        output: the directory to write, of the same kind.
        judge: ranks the validation part; its items' texts are taught.
        settings: default: `PruneSettings()`.
        more_texts: others whose tokens stay, and which are taught too.
        max_loss: share of NDCG@10 that may be lost, 0 to below 1.
        on_step: told what begins.

    Raises:
        ConfigError: an argument does not fit; nothing is written.
        BudgetExceeded: more is lost than may be; nothing is written.
    """
    chosen = settings or PruneSettings()
    check_budget(max_loss)
    check_output(output, PRUNED, "a pruned encoder")
    hush()
    on_step("Reading the encoder")
    teacher, student = read_encoder(source), read_encoder(source)
    if chosen.trim_vocabulary:
        tokens_in_use(state_of(student), ())  # Refused now, rather than when all is taught.
    count = len(layers_of(student))
    kept = drop_layers(student, chosen.layers, lambda: _quality(judge, student), on_step)
    known = [*judge.texts, *more_texts]
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as temporary:
        untaught, made = Path(temporary) / "untaught", Path(temporary) / "made"
        tokens = _write(student, untaught, chosen, known)
        small = read_encoder(untaught)  # It is taught with the tokens that it will be given.
        _teach(small, teacher, training_texts(known, chosen.seed), chosen, on_step)
        small.save_pretrained(str(made), create_model_card=False)
        if (source / NOTE).is_file():
            shutil.copy2(source / NOTE, made / NOTE)
        on_step("Measuring before and after")
        change = compare(judge, (_Model(teacher), source), (_Model(read_encoder(made)), made))
        require_within(change, max_loss, "prune")
        places = tuple(1 + place for place in kept)
        result = Pruned(output, places, count, *tokens, change)
        note = {**dataclasses.asdict(result), "directory": ""}
        note["settings"] = dataclasses.asdict(chosen)
        (made / PRUNED).write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")
        if output.exists():
            output.replace(Path(temporary) / "replaced")
        made.replace(output)
    return result


def _quality(judge: Judge, model: SentenceTransformer) -> float:
    return float(judge.gains(encode(model, judge.texts))[:, 0].mean())


def _teach(
    student: SentenceTransformer,
    teacher: SentenceTransformer,
    texts: list[str],
    settings: PruneSettings,
    on_step: OnStep,
) -> None:
    on_step(f"Encoding {len(texts):,} texts")
    steps = settings.steps
    distil(
        student,
        texts,
        encode(teacher, texts),
        steps,
        learning_rate=settings.learning_rate,
        seed=settings.seed,
        on_step=lambda step, loss: on_step(f"Teaching, {step} of {steps}: {loss:.4f}"),
    )


def _write(
    model: SentenceTransformer, directory: Path, settings: PruneSettings, texts: list[str]
) -> tuple[int, int]:
    """Saves it, with its vocabulary trimmed if that is wanted; tokens now and before."""
    tokenizer = cast(Any, model.tokenizer)
    state = state_of(model)
    count = len(state["model"]["vocab"])
    if not settings.trim_vocabulary:
        model.save_pretrained(str(directory), create_model_card=False)
        return count, count
    known = [*texts, *model.prompts.values()]
    ids = {number for text in known for number in tokenizer(text)["input_ids"]}
    kept = tokens_in_use(state, ids)
    trim_embeddings(model, kept)
    model.save_pretrained(str(directory), create_model_card=False)
    write_tokenizer(directory, state, kept)
    return len(kept), count
