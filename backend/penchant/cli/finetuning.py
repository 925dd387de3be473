"""What `penchant finetune` does with its options: read, train with progress, show."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from penchant.domain.errors import ConfigError
from penchant.domain.signals.default import DEFAULT_SIGNALS
from penchant.encoder.source import default_source
from penchant.logs.columns import EventColumns, ItemColumns
from penchant.logs.log_source import EVENT_FIELDS, ITEM_FIELDS, LogSource, mapped_fields
from penchant.logs.read_log import read_source
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import parse_relevance
from penchant.logs.stream import Stream, first_events, make_stream

if TYPE_CHECKING:
    from penchant.training.finetuning.finetune import Report, Request
    from penchant.training.finetuning.training_run import Watch


@dataclass(frozen=True, slots=True)
class Log:
    """Where items and events come from, and how much of them is used."""

    items: Path | None
    events: Path | None
    dataset: str
    store: str
    train_fraction: float
    relevant: str
    text_template: str
    signal: str
    time_unit: str
    mapped: tuple[str, ...]
    format: str | None


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user chose."""

    log: Log
    source: Path | None
    continued: bool
    output: Path
    training: Mapping[str, Any]
    """Fields of `FinetuneSettings`."""
    max_minutes: float | None
    report_to: str


def run(console: Console, choices: Choices) -> None:
    """Fine-tunes, and shows what came of it; ConfigError where a choice is wrong."""
    with console.status("Reading the log"):
        stream = read_log(console, choices.log)
    with console.status("Loading PyTorch"):
        try:  # Only here: it takes seconds, and a server has none.
            from penchant.training.finetuning.finetune import Request, finetune
            from penchant.training.finetuning.finetune_settings import FinetuneSettings
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"finetune: the package {error.name} is missing; `pip install 'penchant[train]'`"
            ) from error
        settings = FinetuneSettings(**choices.training)
    source = choices.source or default_source()
    request = Request(stream, source, choices.output, settings, choices.continued)
    with _progress(console, request, choices) as (watch, on_stage):
        report = finetune(request, watch, on_stage)
    if report.trained.stopped_by == "time":
        console.print(
            f"Stopped after {report.trained.steps:,} of {settings.steps:,} steps; "
            "the same command goes on from there."
        )
        return
    console.print(report_table(report))
    console.print(
        f"Next: [bold]penchant export --source {choices.output} --output DIR --dimensions "
        f"{min(settings.dimensions)}[/bold], and evaluate what it wrote."
    )


def read_log(console: Console, log: Log) -> Stream:
    """The stream that the options name.

    Raises:
        ConfigError: they do not fit, or a file can't be read.
    """
    if not 0 < log.train_fraction <= 1:
        raise ConfigError(f"--train-fraction: got {log.train_fraction}, expected above 0 to 1")
    source, left_out = _source(log), LeftOut()
    relevant = log.relevant or source.default_relevance
    items, events = read_source(source, left_out, "no log")
    stream = make_stream(items, events, DEFAULT_SIGNALS, parse_relevance(relevant), left_out)
    stream = first_events(stream, int(log.train_fraction * len(stream.events)))
    console.print(
        f"{len(stream.items):,} items, {len(stream.events):,} events; a hit is {relevant}"
    )
    for kind, count in left_out.counts.items():
        console.print(Text(f"Left out: {count:,} {kind}, first {left_out.first[kind]}", "yellow"))
    return stream


def _source(log: Log) -> LogSource:
    fields = mapped_fields(tuple(log.mapped or ()), (*ITEM_FIELDS, *EVENT_FIELDS))
    of_items = {name: column for name, column in fields.items() if name in ITEM_FIELDS}
    of_events = {name: column for name, column in fields.items() if name in EVENT_FIELDS}
    items = ItemColumns(text_template=log.text_template, **of_items)
    events = EventColumns(constant_signal=log.signal, time_unit=log.time_unit, **of_events)
    return LogSource(
        log.items, log.events, log.dataset, log.store, items, events, format=log.format
    )


@contextmanager
def _progress(console: Console, request: Request, choices: Choices) -> Iterator[tuple[Watch, Any]]:
    """A bar of the steps, with the last loss and the last look at the validation part."""
    from penchant.training.finetuning.trainer import METRIC
    from penchant.training.finetuning.training_run import Watch

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, TimeRemainingColumn(), TextColumn("{task.fields[shown]}"))
    bar.live.console = console
    last: dict[str, float] = {}

    def on_log(row: Mapping[str, float]) -> None:
        last.update({name: row[name] for name in ("loss", f"eval_{METRIC}") if name in row})
        words = [f"{name.removeprefix('eval_')} {value:.4f}" for name, value in last.items()]
        bar.update(task, shown=", ".join(words))

    limit_s = math.inf if choices.max_minutes is None else 60 * choices.max_minutes
    watch = Watch(lambda step: bar.update(task, completed=step), on_log, limit_s, choices.report_to)
    with bar:
        task = bar.add_task("Reading", total=request.settings.steps, shown="")
        yield watch, lambda stage: bar.update(task, description=stage)


def report_table(report: Report) -> Table:
    """What a fine-tuning came to, as people read it."""
    trained = report.trained
    table = Table("fine-tuned encoder", str(report.directory))
    why = {"steps": "all done", "patience": "no new best for long"}[trained.stopped_by]
    steps = f"{trained.steps:,} ({why}), the best is {trained.best_step:,}"
    table.add_row("steps of the encoder", steps if trained.steps else "none")
    share = report.trainable / report.weights
    table.add_row("weights that learn", f"{report.trainable:,} of {report.weights:,} ({share:.1%})")
    for name in [n.removesuffix(" before") for n in report.measured if n.endswith(" before")]:
        before, after = report.measured[f"{name} before"], report.measured[f"{name} after"]
        table.add_row(name, f"{before:.4f} before, {after:.4f} after")
    table.add_row("time of this run", f"{report.seconds:.0f} s")
    table.add_row("most memory", f"{report.peak_bytes / 1e6:,.0f} MB")
    return table
