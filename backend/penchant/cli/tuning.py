"""What `penchant tune` does with its options: read, search with progress, tell the best."""

from __future__ import annotations

import dataclasses
import math
import signal as signals
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from penchant.cli.logs import read_log
from penchant.config import Config
from penchant.domain.errors import ConfigError
from penchant.encoder.source import default_source
from penchant.evaluation.fingerprint import fingerprint
from penchant.evaluation.metrics import estimates
from penchant.evaluation.targets import ReplayConfig
from penchant.logs.log_source import LogSource
from penchant.logs.stream import Stream, first_events
from penchant.report.page import check_writable
from penchant.tuning.encoder_search import exported, finetuned
from penchant.tuning.objective import Metric, Objective, Vectors, training_part
from penchant.tuning.space import CONTEXT_HALVINGS, Parameter, Part, as_options, choose

if TYPE_CHECKING:
    from penchant.tuning.study import Study, Tried

_MOST_IMPORTANT = 5


@dataclass(frozen=True, slots=True)
class Finetuning:
    """How an encoder is fine-tuned in each trial."""

    source: Path | None
    steps: int


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user chose."""

    source: LogSource
    config: Config
    fixed: Mapping[str, str]
    """Settings that stay, as they were given."""
    train_fraction: float
    plan: ReplayConfig
    """Of the training part alone."""
    relevant: str
    refresh: bool
    finetuning: Finetuning | None
    names: tuple[str, ...]
    metric: Metric
    trials: int
    minutes: float | None
    storage: Path | None
    seed: int


def run(console: Console, choices: Choices) -> int:
    """Searches and shows what came of it; returns the exit status."""
    try:  # Only here: it takes a moment, and a server has none.
        from penchant.tuning.study import open_study
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"tune: the package {error.name} is missing; `pip install 'penchant[tune]'`"
        ) from error
    space = _space(choices)
    if choices.storage is not None:
        check_writable(choices.storage, "--storage")
    relevant = choices.relevant or choices.source.default_relevance
    with console.status("Reading ..."):
        stream = read_log(
            console, choices.source, choices.config.signals, relevant, "nothing to tune on"
        )
        part = training_part(stream, choices.train_fraction)
        space = _heard(space, part)
    with console.status("Reading the encoder ..."):
        vectors, version = _vectors(choices, part)
    objective = Objective(
        part, choices.plan, choices.config, vectors, choices.metric, choices.refresh
    )
    console.print(
        f"Each trial learns from {choices.plan.start(part):,} events and ranks "
        f"{objective.rankings:,} times in the next {len(part.events) - choices.plan.start(part):,}"
    )
    task = _task(choices, space, part, version)
    with open_study(choices.storage, task, space, choices.seed) as study:
        interrupted = _search(console, choices, study, objective)
        if not study.done():
            console.print("Stopped before the first trial was done.")
            return 128 + signals.SIGINT
        if not interrupted:
            _show_gain(console, choices, objective, study)
        _show_best(console, choices, space, study)
    return 128 + signals.SIGINT if interrupted else 0


def _space(choices: Choices) -> tuple[Parameter, ...]:
    parts = [Part.SERVER]
    parts += [Part.REFRESH] if choices.refresh else []
    parts += [Part.FINETUNE] if choices.finetuning is not None else []
    return choose(choices.names, parts, tuple(choices.fixed))


def _heard(space: tuple[Parameter, ...], part: Stream) -> tuple[Parameter, ...]:
    """What the log says something of; ConfigError where that is nothing."""
    if any(event.context for event in part.events):
        return space
    heard = tuple(one for one in space if one.name != CONTEXT_HALVINGS)
    if not heard:
        raise ConfigError(
            f"--parameter: got {CONTEXT_HALVINGS}, but no event has a context; expected columns "
            "such as context.room"
        )
    return heard


def _vectors(choices: Choices, part: Stream) -> tuple[Vectors, str]:
    if choices.finetuning is None:
        return exported(choices.config, part)
    older = first_events(part, choices.plan.start(part))
    source = choices.finetuning.source or default_source()
    return finetuned(older, source, choices.finetuning.steps, choices.seed)


def _task(
    choices: Choices, space: tuple[Parameter, ...], part: Stream, version: str
) -> dict[str, str]:
    """All that a trial's result depends on, by names for people."""
    steps = "" if choices.finetuning is None else f", {choices.finetuning.steps} steps"
    return {
        "log": fingerprint(part),
        "encoder": version + steps,
        "space": ", ".join(f"{one.name} {one.low:g} to {one.high:g}" for one in space),
        "metric": choices.metric.name,
        "plan": str(dataclasses.asdict(choices.plan)),
        "refresh": str(choices.refresh),
        "--set": str(dict(sorted(choices.fixed.items()))),
        "seed": str(choices.seed),
    }


def _search(console: Console, choices: Choices, study: Study, objective: Objective) -> bool:
    """Whether Ctrl-C ended it."""
    earlier = len(study.done())
    if earlier:
        console.print(f"Going on: {earlier} trials are done already")
    limit_s = math.inf if choices.minutes is None else 60 * choices.minutes
    began_s = time.monotonic()
    interrupted = False
    try:
        with _progress(console, choices, study) as on_trial:
            study.search(objective, choices.trials, limit_s, on_trial)
    except KeyboardInterrupt:
        interrupted = True
        kept = "the same command goes on" if choices.storage else "--storage would keep them"
        console.print(f"Stopped by you; {kept}.")
    made = len(study.done()) - earlier
    if made:
        seconds = time.monotonic() - began_s
        console.print(f"{made} trials in {seconds:.0f} s, {seconds / made:.1f} s each")
    return interrupted


@contextmanager
def _progress(
    console: Console, choices: Choices, study: Study
) -> Iterator[Callable[[Tried], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
        done = study.done()
        best = max((tried.metric for tried in done), default=-math.inf)
        task = progress.add_task("Trials", total=choices.trials, completed=len(done))

        def on_trial(tried: Tried) -> None:
            nonlocal best
            best = max(best, tried.metric)
            shown = f"Trials, best {choices.metric.name} {best:.4f}"
            progress.update(task, advance=1, description=shown)

        yield on_trial


def _show_gain(console: Console, choices: Choices, objective: Objective, study: Study) -> None:
    """The first and the best trial once more, ranking by ranking."""
    with console.status("Measuring the defaults and the best once more ..."):
        before = objective.of_each(study.done()[0].values)
        after = objective.of_each(study.best().values)
    columns = np.stack([before, after, after - before], axis=1)
    table = Table(f"{choices.metric.name} on the part that chose", "mean", "95 %")
    for name, found in zip(
        ("defaults", "best", "gain"), estimates(columns, objective.users, choices.seed), strict=True
    ):
        table.add_row(name, f"{found.mean:.4f}", f"{found.low:.4f} to {found.high:.4f}")
    console.print(table)


def _show_best(
    console: Console, choices: Choices, space: tuple[Parameter, ...], study: Study
) -> None:
    best = study.best()
    importance = list(study.importance().items())[:_MOST_IMPORTANT]
    if importance:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in importance)
        console.print(Text(f"What mattered most: {shares}"), soft_wrap=True)
    server = [f"--set {name}={value}" for name, value in choices.fixed.items()]
    server += as_options(space, best.values, Part.SERVER)
    refresh = as_options(space, best.values, Part.REFRESH)
    lines = []
    if not (server or refresh or as_options(space, best.values, Part.FINETUNE)):
        lines.append(f"Nothing was better than the defaults ({choices.metric.name})")
    if choices.finetuning is not None:
        trained = [f"--steps {choices.finetuning.steps}"]
        trained += as_options(space, best.values, Part.FINETUNE)
        lines.append(" ".join(["penchant finetune ... --method lora", *trained]))
    lines.append(" ".join(["penchant serve", *server]))
    if choices.refresh:
        lines.append(" ".join(["penchant refresh --store ...", *server, *refresh]))
    evaluate = ["--refresh", *refresh] if choices.refresh else []
    lines.append(" ".join(["penchant evaluate ...", *server, *evaluate]))
    lines.append("The last one tells what it is worth on the rest of the log: the part that chose")
    lines.append("flatters what it chose.")
    console.print(Text("\n".join(lines)), soft_wrap=True)
