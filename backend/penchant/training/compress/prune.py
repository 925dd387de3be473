"""Pruning: a smaller encoder with fewer layers, taught by the larger one, and fewer tokens."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from penchant.domain.errors import ConfigError
from penchant.evaluation.replay_log import OnLog, ignore_log
from penchant.system.durable_file import write_whole
from penchant.system.option_types import FLAT, Share
from penchant.system.optional_package import needs_extra
from penchant.system.whole_directory import check_replaceable, whole_directory
from penchant.training.catalog_texts import TextLines, text_lines
from penchant.training.compress.encoder_comparison import (
    EncoderComparison,
    check_max_loss,
    compare_encoders,
    require_within,
)
from penchant.training.compress.validation_log import ValidationLog, read_rankings
from penchant.training.finetuning.provenance import FINETUNE_NOTE
from penchant.training.validation_rankings import ValidationRankings

PRUNE_NOTE = "prune.json"
"""File in a pruned encoder's directory that holds its report."""


@dataclass(frozen=True, slots=True)
class PruneSettings:
    """The parts of an encoder to keep, and how the rest is taught."""

    layers: int = 3
    """Number of layers to keep, 1 or more."""
    keep_vocabulary: bool = False
    """Keep tokens that no text uses."""
    steps: int = 600
    """Steps of the distillation, 0 or more."""
    learning_rate: float = 5e-4
    """Peak learning rate of the distillation."""
    seed: int = 0
    """Seed of all random draws."""

    def __post_init__(self) -> None:
        for name, least in (("layers", 1), ("steps", 0)):
            if getattr(self, name) < least:
                raise ConfigError(f"{name}: got {getattr(self, name)}, expected {least} or more")


@dataclass(frozen=True, slots=True)
class PruneRequest:
    """A pruning: the encoder, its loss budget, the log to measure on, and the output."""

    source: Path
    """Directory written by penchant finetune."""
    output: Path
    """Directory to write, for penchant export; a pruned encoder there is replaced."""
    settings: Annotated[PruneSettings, FLAT] = PruneSettings()
    texts: TextLines = None
    """More texts, one a line, to teach and to keep the tokens of."""
    max_loss: Share = 0.03
    """Share of NDCG@10 that may be lost, 0 to below 1, as 3% or 0.03."""
    validation: Annotated[ValidationLog, FLAT] = ValidationLog()
    rankings: Annotated[ValidationRankings | None, Parameter(parse=False)] = None
    """Rankings already chosen, instead of those of `validation`."""

    @property
    def reads(self) -> tuple[Path | None, ...]:
        """The files and directories that it names to read; None for one that it does not."""
        texts = self.texts if isinstance(self.texts, Path) else None
        return self.source, texts, *self.validation.log.files


@dataclass(frozen=True, slots=True)
class PruneReport:
    """The result of a pruning."""

    directory: Path
    kept_layers: tuple[int, ...]
    """Places of the kept layers in the original, from 1."""
    layers: int
    """Number of layers of the original."""
    kept_tokens: int
    """Number of tokens left in the vocabulary."""
    tokens: int
    """Number of tokens in the vocabulary of the original."""
    change: EncoderComparison
    """The encoder before and after."""


def prune(
    request: PruneRequest,
    on_stage: Callable[[str], None] = lambda stage: None,
    on_read: OnLog = ignore_log,
) -> PruneReport:
    """Drops an encoder's least important layers, distils the rest, and trims its vocabulary.

    The importance of a layer is the NDCG@10 lost without it. The items' texts are distilled, in
    noisy copies and parts too.

    Args:
        request: encoder, settings, log and output.
        on_stage: called when a stage begins, with its name.
        on_read: called once the log is read.

    Raises:
        ConfigError: an argument is wrong; nothing is written.
        LossBudgetExceeded: more is lost than allowed; nothing is written.
    """
    source, output, settings = request.source, request.output, request.settings
    check_max_loss(request.max_loss)
    check_replaceable(output, PRUNE_NOTE, "a pruned encoder", request.reads)
    texts = text_lines(request.texts, "texts")
    rankings = request.rankings or read_rankings(request.validation, source, on_read)
    with needs_extra("prune", "train"):  # Imports take seconds, and a server lacks the extra.
        from penchant.training.compress.distillation import distil, training_texts
        from penchant.training.compress.layers import drop_layers
        from penchant.training.compress.vocabulary import save_with_tokens, state_of, tokens_in_use
        from penchant.training.finetuning.trainable_encoder import (
            TrainableEncoder,
            encode,
            layers_of,
            read_encoder,
        )
        from penchant.training.library_output import quiet_transformers
    with quiet_transformers(), whole_directory(output) as made:
        on_stage("Reading the encoder")
        teacher, student = read_encoder(source), read_encoder(source)
        if not settings.keep_vocabulary:
            tokens_in_use(state_of(student), ())  # Refused now, not after the distillation.
        layers = len(layers_of(student))
        tokens = len(state_of(student)["model"]["vocab"])

        def quality() -> float:
            return rankings.quality(encode(student, rankings.texts)).ndcg

        kept = drop_layers(student, settings.layers, quality, on_stage)
        known, untaught = [*rankings.texts, *texts], made / "untaught"
        kept_tokens = tokens
        if settings.keep_vocabulary:
            student.save_pretrained(str(untaught), create_model_card=False)
        else:
            kept_tokens = save_with_tokens(student, untaught, known)
        small = read_encoder(untaught)  # Distilled with the tokens that are left.
        shutil.rmtree(untaught)
        taught = training_texts(known, settings.seed)
        on_stage(f"Encoding {len(taught):,} texts")
        distil(
            small,
            taught,
            encode(teacher, taught),
            settings.steps,
            learning_rate=settings.learning_rate,
            seed=settings.seed,
            on_step=lambda step, loss: on_stage(
                f"Distilling, step {step} of {settings.steps}: {loss:.4f}"
            ),
        )
        small.save_pretrained(str(made), create_model_card=False)
        if (source / FINETUNE_NOTE).is_file():
            shutil.copy2(source / FINETUNE_NOTE, made / FINETUNE_NOTE)
        on_stage("Measuring before and after")
        written = TrainableEncoder(read_encoder(made))
        change = compare_encoders(rankings, (TrainableEncoder(teacher), source), (written, made))
        require_within(change, request.max_loss, "prune")
        places = tuple(1 + place for place in kept)
        report = PruneReport(output, places, layers, kept_tokens, tokens, change)
        _write_note(made, report, settings)
    return report


def _write_note(directory: Path, report: PruneReport, settings: PruneSettings) -> None:
    note = {**dataclasses.asdict(report), "directory": ""}
    note["settings"] = dataclasses.asdict(settings)
    write_whole(directory / PRUNE_NOTE, json.dumps(note, indent=2) + "\n")
