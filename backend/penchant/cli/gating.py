"""What `penchant gate` does with its options: read, judge with progress, show, write."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn
from rich.text import Text

from penchant.cli.logs import read_log
from penchant.config import Config
from penchant.evaluation.gates.budgets import Budgets
from penchant.evaluation.gates.validation import Validation
from penchant.evaluation.gates.verdict import Verdict
from penchant.logs.log_source import LogSource
from penchant.logs.stream import Stream
from penchant.refresh.refresh_settings import RefreshSettings
from penchant.report.page import check_writable
from penchant.report.text_table import rendered
from penchant.system.durable_file import write_whole

if TYPE_CHECKING:
    from penchant.evaluation.gates import judge
    from penchant.evaluation.gates.side import Side

REFUSED = 2
"""Exit status where the candidate may not serve."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user chose."""

    source: LogSource
    baseline: Config
    candidate: Config
    refresh: RefreshSettings | None
    """How the middle clock runs on both sides; None: not at all."""
    relevant: str
    validation: Validation
    attributes: tuple[str, ...]
    probes: tuple[Path, ...]
    budgets: Budgets
    seed: int
    json: Path | None
    freeze_probes: Path | None


def run(console: Console, choices: Choices) -> bool:
    """Whether the candidate passed; ConfigError where a choice is wrong."""
    began = time.monotonic()
    for option, path in (("--json", choices.json), ("--freeze-probes", choices.freeze_probes)):
        if path is not None:
            check_writable(path, option)
    with console.status("Reading ..."):
        relevant = choices.relevant or choices.source.default_relevance
        signals = choices.baseline.signals
        stream = read_log(console, choices.source, signals, relevant, "nothing to judge by")
        # Only here: ONNX Runtime, SciPy and PyArrow are loaded by them.
        from penchant.evaluation.gates.judge import judge
        from penchant.evaluation.gates.probe_file import read_probes

        baseline, candidate = _sides(choices)
        probes = [read_probes(path) for path in choices.probes]
    with judging(console) as progress:
        verdict = judge(
            stream,
            baseline,
            candidate,
            choices.budgets,
            probes=probes,
            attributes=choices.attributes,
            validation=choices.validation,
            seed=choices.seed,
            progress=progress,
        )
    show(console, verdict)
    _write(console, choices, stream, verdict)
    console.print(f"Done in {time.monotonic() - began:.0f} s.")
    return verdict.passed


def _sides(choices: Choices) -> tuple[Side, Side]:
    from penchant.encoder.cache import CachedEncoder
    from penchant.encoder.onnx import OnnxEncoder
    from penchant.evaluation.gates.side import Side

    loaded: dict[Path, CachedEncoder] = {}
    for config in (choices.baseline, choices.candidate):
        if config.encoder not in loaded:
            encoder = OnnxEncoder.load(config.encoder, threads=config.encoder_threads)
            loaded[config.encoder] = CachedEncoder(encoder)
    both = (choices.baseline, choices.candidate)
    first, second = (Side(loaded[one.encoder], one, choices.refresh) for one in both)
    return first, second


@contextmanager
def judging(console: Console) -> Iterator[judge.Progress]:
    """A bar for each step of a gate, which is gone when all are done."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        tasks: dict[str, TaskID] = {}
        shown: dict[str, float] = {}

        def on_step(step: str, done: float) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=1.0)
            if done in (0.0, 1.0) or done - shown[step] >= 0.01:
                progress.update(tasks[step], completed=done)
                shown[step] = done

        yield on_step


def show(console: Console, verdict: Verdict) -> None:
    """All findings, what there is to say of some, and the verdict."""
    console.print(rendered(verdict.table()))
    for finding in verdict.findings:
        if finding.note:
            console.print(Text(str(finding), "yellow"), soft_wrap=True)
    style = "green" if verdict.passed else "red"
    console.print(Text(verdict.text(), style), soft_wrap=True)


def _write(console: Console, choices: Choices, stream: Stream, verdict: Verdict) -> None:
    if choices.json is not None:
        write_whole(choices.json, verdict.json())
        console.print(Text(f"Findings: {choices.json}"), soft_wrap=True)
    if choices.freeze_probes is not None:
        from penchant.evaluation.gates.probe_file import write_probes
        from penchant.evaluation.gates.probes import freeze_probes

        plan, _ = choices.validation.choose(stream)
        part = range(plan.start(stream), len(stream.events))
        config, candidates = choices.baseline, choices.validation.candidates
        probes = freeze_probes(
            stream,
            part,
            seed=choices.seed,
            signals=config.signals,
            window_events=config.fold.window_events,
            candidates=candidates,
        )
        write_probes(choices.freeze_probes, probes)
        told = f"Probes of {probes.era}: {choices.freeze_probes}"
        console.print(Text(told), soft_wrap=True)
