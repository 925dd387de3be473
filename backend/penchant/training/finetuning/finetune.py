"""A whole fine-tuning: choose the material, train, measure, write the encoder's directory."""

from __future__ import annotations

import dataclasses
import resource
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from sentence_transformers import SentenceTransformer
from transformers import set_seed
from transformers.utils import logging as transformers_logging

from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.logs.stream import Stream
from penchant.training.finetuning.finetune_settings import FinetuneSettings
from penchant.training.finetuning.projection import prepare_head
from penchant.training.finetuning.provenance import NOTE, Note, read_note
from penchant.training.finetuning.trainable_encoder import (
    cap_length,
    choose_weights,
    encode,
    merge_adapters,
    read_encoder,
    trainable_parameters,
)
from penchant.training.finetuning.trainer import last_checkpoint
from penchant.training.finetuning.training_data import Material, gather
from penchant.training.finetuning.training_run import Trained, Watch, train
from penchant.training.resumption import note_begun
from penchant.training.validation_rankings import Ranker


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did."""

    directory: Path
    """The encoder; not there yet where `trained.stopped_by` is `time`."""
    trained: Trained
    measured: dict[str, float]
    """NDCG@10 and recall@10 by part, before and after; empty until the training is done."""
    trainable: int
    """Weights that training may change."""
    weights: int
    """All weights, those of adapters and the projection included."""
    seconds: float
    """Of this run."""
    peak_bytes: int
    """Most memory that this process had."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to fine-tune, and where to."""

    stream: Stream
    source: Path
    """Hugging Face directory of the encoder to start from."""
    output: Path
    """Directory to write; checkpoints lie beside it until the training is done."""
    settings: FinetuneSettings = field(default_factory=FinetuneSettings)
    continued: bool = False
    """The source is the last round's encoder: only newer events are new, the old are replayed."""
    config: Config = field(default_factory=lambda: Config("memory:", Path("none")))
    """Settings of the server whose ranking is to be good."""

    @property
    def checkpoints(self) -> Path:
        """Where a training that is not done is kept."""
        return self.output.with_name(self.output.name + ".training")


def finetune(
    request: Request,
    watch: Watch | None = None,
    on_stage: Callable[[str], None] = lambda stage: None,
) -> Report:
    """Fine-tunes an encoder; a run that was cut off, or that ran out of time, is gone on with.

    The result is a sentence-transformers directory that `penchant export` reads, with a note of
    what it was trained on.

    Raises:
        ConfigError: an argument does not fit, or the training begun there is another one.
    """
    began_s = time.monotonic()
    _check_output(request.output)
    hush()
    set_seed(request.settings.seed)
    texts = [item.text for item in request.stream.items]
    rounds = read_note(request.source).rounds if request.continued else ()
    material = gather(request.stream, rounds, request.settings)
    _begin(request, material)
    on_stage("Reading the encoder")
    model = read_encoder(request.source)
    longest = model.max_seq_length
    rankers = _rankers(request, material)
    start = prepare_head(
        model,
        texts,
        material,
        request.settings,
        continued=request.continued,
        begun=last_checkpoint(request.checkpoints) is not None,
        on_stage=on_stage,
    )
    choose_weights(model, request.settings)
    sizes = trainable_parameters(model)
    teacher = start if request.continued else None
    on_stage("Training")
    judge, settings = rankers["validation"], request.settings
    trained = train(model, texts, material, judge, settings, request.checkpoints, teacher, watch)
    measured: dict[str, float] = {}
    if trained.stopped_by != "time":
        on_stage("Measuring before and after")
        merge_adapters(model)
        model.max_seq_length = longest  # As it was; the one of the settings is for training.
        cap_length(model)
        for when, vectors in (("before", start), ("after", encode(model, texts))):
            for name, ranker in rankers.items():
                quality = ranker.quality(vectors)
                measured[f"{name} ndcg@10 {when}"] = quality.ndcg
                measured[f"{name} recall@10 {when}"] = quality.recall
        rounds = (*rounds, material.round)
        _write(model, request, Note(rounds, dataclasses.asdict(settings), measured))
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    seconds = time.monotonic() - began_s
    return Report(request.output, trained, measured, *sizes, seconds, peak_bytes)


def _rankers(request: Request, material: Material) -> dict[str, Ranker]:
    parts = {
        "validation": material.validation,
        "test": material.test,
        "earlier test": material.earlier_test,
    }
    most = request.settings.max_evaluated
    return {
        name: Ranker(request.stream, part, request.config, most)
        for name, part in parts.items()
        if part
    }


def _check_output(output: Path) -> None:
    empty = output.is_dir() and not any(output.iterdir())
    if output.exists() and not empty and not (output / NOTE).is_file():
        raise ConfigError(f"output: {output} holds something else than a fine-tuned encoder")


def hush() -> None:
    """Our own steps and results are told to the watch; the libraries need not speak of theirs."""
    logging = cast(Any, transformers_logging)  # Its functions carry no types.
    logging.disable_progress_bar()
    logging.set_verbosity_error()


def _begin(request: Request, material: Material) -> None:
    """Notes what is begun, or sees that it is what was begun before."""
    begun = {
        "settings": request.settings.digest(),
        "source": str(request.source.resolve()),
        "round": dataclasses.asdict(material.round),
        "events": len(request.stream.at_us),
        "items": len(request.stream.items),
    }
    note_begun(request.checkpoints, begun)


def _write(model: SentenceTransformer, request: Request, note: Note) -> None:
    """Into a directory beside, then into place; the checkpoints go last."""
    output = request.output
    with tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as temporary:
        made = Path(temporary) / output.name
        model.save_pretrained(str(made), create_model_card=False)
        note.write(made)
        if output.exists():
            output.replace(Path(temporary) / "replaced")
        made.replace(output)
    shutil.rmtree(request.checkpoints)
