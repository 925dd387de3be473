"""`penchant finetune`: the encoder learns from a log which items are liked together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from penchant.cli.log_summary import show_log
from penchant.cli.next_steps import command_line, encoder_of, next_steps
from penchant.cli.progress_lines import progress_lines
from penchant.report.terminal import Terminal, terminal
from penchant.system.option_types import FLAT
from penchant.training.finetuning.finetune import FinetuneReport, FinetuneRequest
from penchant.training.finetuning.finetune import finetune as run
from penchant.training.finetuning.training_progress import METRIC, TrainingProgress


def finetune(*, request: Annotated[FinetuneRequest, FLAT]) -> None:
    """Fine-tunes a text encoder so that items liked by the same people lie together.

    The log is split by time: the oldest events train, the next decide when to stop, and the newest
    are measured only at the end. An unfinished training resumes when the same command is run again.
    """
    console = terminal()
    with _shown(console, request) as progress:
        report = run(request, progress)
    if report.trained.stopped_by == "time":
        console.print(
            f"Stopped after {report.trained.steps:,} of {request.settings.steps:,} steps; "
            "the same command resumes from there."
        )
        return
    console.print(report_table(report))
    places = ("--source", request.output, "--output", encoder_of(request.output))
    export = command_line("export", *places, "--dimensions", min(request.settings.dimensions))
    next_steps(console, {export: "an encoder to evaluate and publish"})


@contextmanager
def _shown(console: Terminal, request: FinetuneRequest) -> Iterator[TrainingProgress]:
    """A bar of the steps, with the last loss and the last metric of the validation part."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    bar = Progress(
        *columns, TimeRemainingColumn(), TextColumn("{task.fields[shown]}", markup=False)
    )
    bar.live.console = console
    last: dict[str, float] = {}
    relevant = request.relevant or request.log.default_relevance

    def on_metrics(row: Mapping[str, float]) -> None:
        last.update({name: row[name] for name in ("loss", f"eval_{METRIC}") if name in row})
        words = [f"{name.removeprefix('eval_')} {value:.4f}" for name, value in last.items()]
        bar.update(task, shown=", ".join(words))

    def on_stage(stage: str) -> None:
        bar.update(task, description=stage)
        lines.text = stage

    def on_step(step: int) -> None:
        bar.update(task, completed=step)
        lines.text = f"Step {step:,} of {request.settings.steps:,}"

    with bar, progress_lines(console, "Starting") as lines:
        task = bar.add_task("Starting", total=request.settings.steps, shown="")
        yield TrainingProgress(
            on_read=lambda stream, left_out: show_log(console, stream, left_out, relevant),
            on_stage=on_stage,
            on_step=on_step,
            on_metrics=on_metrics,
        )


def report_table(report: FinetuneReport) -> Table:
    """The result of a fine-tuning as a table."""
    trained = report.trained
    table = Table("fine-tuned encoder", str(report.directory))
    why = {"steps": "all done", "patience": "no new best for long"}[trained.stopped_by]
    steps = f"{trained.steps:,} ({why}), best: {trained.best_step:,}"
    table.add_row("encoder steps", steps if trained.steps else "none")
    share = report.trainable / report.weights
    table.add_row("trainable weights", f"{report.trainable:,} of {report.weights:,} ({share:.1%})")
    for name in [n.removesuffix(" before") for n in report.measured if n.endswith(" before")]:
        before, after = report.measured[f"{name} before"], report.measured[f"{name} after"]
        table.add_row(name, f"{before:.4f} before, {after:.4f} after")
    table.add_row("duration of this run", f"{report.seconds:.0f} s")
    table.add_row("peak memory", f"{report.peak_bytes / 1e6:,.0f} MB")
    return table
