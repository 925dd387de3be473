"""Fine-tuning of an encoder on a log: choose events, train, measure, write its directory."""

from __future__ import annotations

import dataclasses
import math
import resource
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.encoder.source import default_source
from penchant.logs.log_source import GOOD_RATING, LogSource
from penchant.logs.read_log import read_log
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import POSITIVE
from penchant.logs.stream import Stream, first_events
from penchant.system.optional_package import needs_extra
from penchant.system.whole_directory import check_replaceable, whole_directory
from penchant.training.finetuning.finetune_settings import FinetuneSettings
from penchant.training.finetuning.provenance import FINETUNE_NOTE, FinetuneNote, read_note
from penchant.training.finetuning.training_data import TrainingData, choose_events
from penchant.training.finetuning.training_progress import (
    SILENT,
    TrainingOutcome,
    TrainingProgress,
)
from penchant.training.resumption import checkpoints_of, last_checkpoint, note_inputs
from penchant.training.validation_rankings import ValidationRankings

_NO_SERVER = Config("memory:", Path("none"))
_LOG_GROUP = "The log"
_LOG = Parameter(name="*", group=_LOG_GROUP)
_TRAINING = Parameter(name="*", group="Training")


@dataclass(frozen=True, slots=True)
class FinetuneRequest:
    """A fine-tuning: its log, the encoder to start from, and the output."""

    output: Path
    """Directory to write, for penchant export."""
    log: Annotated[LogSource, _LOG] = LogSource()
    train_fraction: Annotated[float, Parameter(group=_LOG_GROUP)] = 1.0
    """Share of the events to use, the oldest, as in penchant evaluate; above 0, to 1."""
    relevant: Annotated[
        str,
        Parameter(
            metavar="TERM",
            show_default=f"{POSITIVE}; {GOOD_RATING} for movielens",
            group=_LOG_GROUP,
        ),
    ] = ""
    """Events that count as a hit: 'rating>=4', 'reward>0.5', signal=purchase."""
    source: Annotated[Path | None, Parameter(show_default="all-MiniLM-L6-v2")] = None
    """Hugging Face directory of the encoder to start from."""
    last: Annotated[Path | None, Parameter(name="--from", metavar="DIR")] = None
    """Output of an earlier round to continue: train on newer events, and replay older ones."""
    settings: Annotated[FinetuneSettings, _TRAINING] = FinetuneSettings()
    max_minutes: float | None = None
    """Minutes after which training stops, 0 or more; the same command resumes it."""
    report_to: str = "none"
    """Where to report metrics: tensorboard, wandb or none."""
    stream: Annotated[Stream | None, Parameter(parse=False)] = None
    """A log already read, instead of the one that `log` names."""
    server: Annotated[Config, Parameter(parse=False)] = _NO_SERVER
    """Settings of the server whose rankings are measured; its store and encoder are not used."""

    def __post_init__(self) -> None:
        if self.source is not None and self.last is not None:
            raise ConfigError("--source, --from: got both, expected one encoder to start from")
        if not 0 < self.train_fraction <= 1:
            raise ConfigError(f"train_fraction: got {self.train_fraction}, expected above 0 to 1")
        if self.max_minutes is not None and not self.max_minutes >= 0:
            raise ConfigError(f"max_minutes: got {self.max_minutes}, expected 0 or more")

    @property
    def start(self) -> Path:
        """Hugging Face directory of the encoder to start from, the default one included."""
        return self.last or self.source or default_source()

    @property
    def checkpoints(self) -> Path:
        """Directory of an unfinished training, beside the output."""
        return checkpoints_of(self.output)


@dataclass(frozen=True, slots=True)
class FinetuneReport:
    """The result of a fine-tuning, or of its part that fitted into `max_minutes`."""

    directory: Path
    """The encoder; missing if `trained.stopped_by` is `time`."""
    trained: TrainingOutcome
    measured: dict[str, float]
    """NDCG@10 and recall@10 by part, before and after; empty until training is done."""
    trainable: int
    """Number of trainable weights."""
    weights: int
    """Number of all weights, including adapters and the projection."""
    seconds: float
    """Duration of this run."""
    peak_bytes: int
    """Peak memory of this process."""


def finetune(request: FinetuneRequest, progress: TrainingProgress = SILENT) -> FinetuneReport:
    """Fine-tunes an encoder; an unfinished training resumes with the same request.

    The output is a sentence-transformers directory for `export_encoder`, with a note of the events
    it was trained on.

    Args:
        request: log, encoder, settings and output.
        progress: callbacks for stages, steps and metrics.

    Raises:
        ConfigError: an argument is wrong, there are too few events, or the training in progress
            has other inputs.
    """
    began_s = time.monotonic()
    reads = (request.last, request.source, *request.log.files)
    check_replaceable(request.output, FINETUNE_NOTE, "a fine-tuned encoder", reads)
    progress.on_stage("Reading the log")
    stream = _read(request, progress)
    progress.on_stage("Loading PyTorch")
    with needs_extra("finetune", "train"):  # Imports take seconds, and a server lacks the extra.
        from transformers import set_seed

        from penchant.training.finetuning.projection import prepare_head
        from penchant.training.finetuning.trainable_encoder import (
            cap_length,
            choose_weights,
            encode,
            merge_adapters,
            read_encoder,
            trainable_parameters,
        )
        from penchant.training.finetuning.training_run import train
        from penchant.training.library_output import quiet_transformers
    settings, continued = request.settings, request.last is not None
    with quiet_transformers():
        set_seed(settings.seed)
        texts = [item.text for item in stream.items]
        rounds = read_note(request.last).rounds if request.last is not None else ()
        data = choose_events(stream, rounds, settings)
        _note_inputs(request, stream, data)
        progress.on_stage("Reading the encoder")
        model = read_encoder(request.start)
        longest = model.max_seq_length
        rankings = _rankings(request, stream, data)
        start = prepare_head(
            model,
            texts,
            data,
            settings,
            continued=continued,
            resumed=last_checkpoint(request.checkpoints) is not None,
            on_stage=progress.on_stage,
        )
        choose_weights(model, settings)
        sizes = trainable_parameters(model)
        progress.on_stage("Training")
        trained = train(
            model,
            texts,
            data,
            rankings["validation"],
            settings,
            request.checkpoints,
            teacher=start if continued else None,
            limit_s=math.inf if request.max_minutes is None else 60 * request.max_minutes,
            report_to=request.report_to,
            progress=progress,
        )
        measured: dict[str, float] = {}
        if trained.stopped_by != "time":
            progress.on_stage("Measuring before and after")
            merge_adapters(model)
            model.max_seq_length = longest  # The limit of the settings is for training only.
            cap_length(model)
            for when, vectors in (("before", start), ("after", encode(model, texts))):
                for name, one in rankings.items():
                    quality = one.quality(vectors)
                    measured[f"{name} ndcg@10 {when}"] = quality.ndcg
                    measured[f"{name} recall@10 {when}"] = quality.recall
            note = FinetuneNote((*rounds, data.record), settings.as_dict(), measured)
            _write(request, note, lambda made: model.save_pretrained(made, create_model_card=False))
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    seconds = time.monotonic() - began_s
    return FinetuneReport(request.output, trained, measured, *sizes, seconds, peak_bytes)


def _read(request: FinetuneRequest, progress: TrainingProgress) -> Stream:
    left_out = LeftOut()
    stream = request.stream
    if stream is None:
        relevant = request.relevant or request.log.default_relevance
        stream = read_log(request.log, DEFAULT_SIGNALS, relevant, left_out, "no log")
    stream = first_events(stream, int(request.train_fraction * len(stream.events)))
    progress.on_read(stream, left_out)
    return stream


def _rankings(
    request: FinetuneRequest, stream: Stream, data: TrainingData
) -> dict[str, ValidationRankings]:
    parts = {"validation": data.validation, "test": data.test, "earlier test": data.earlier_test}
    most = request.settings.max_evaluated
    return {
        name: ValidationRankings.of_part(stream, part, request.server, most)
        for name, part in parts.items()
        if part
    }


def _note_inputs(request: FinetuneRequest, stream: Stream, data: TrainingData) -> None:
    inputs = {
        "settings": request.settings.digest(),
        "source": str(request.start.resolve()),
        "round": dataclasses.asdict(data.record),
        "events": len(stream.at_us),
        "items": len(stream.items),
    }
    note_inputs(request.checkpoints, inputs)


def _write(request: FinetuneRequest, note: FinetuneNote, save: Callable[[str], None]) -> None:
    """Writes the encoder with its note; only then are the checkpoints removed."""
    with whole_directory(request.output) as made:
        save(str(made))
        note.write(made)
    shutil.rmtree(request.checkpoints)
