"""`penchant tune`: the settings that suit a log, searched on its oldest part."""

from __future__ import annotations

import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from penchant.cli.progress_bars import log_printer
from penchant.system.option_types import FLAT
from penchant.tuning.space import ParameterGroup, Values, as_options
from penchant.tuning.tune import SearchStart, TuningGain, TuningRequest, TuningResult
from penchant.tuning.tune import tune as run_search

if TYPE_CHECKING:
    from penchant.tuning.study import CompletedTrial

_DEFAULTS = TuningRequest()
_MOST_IMPORTANT = 5


def tune(*, request: Annotated[TuningRequest, FLAT] = _DEFAULTS) -> int:
    """Searches settings that rank better, on the oldest part of a log; reads nothing after it.

    Each trial replays that part as penchant evaluate does: it learns the older two thirds, and
    ranks for the newer third. Settings given by --set stay; the others start at their defaults.
    """
    console = Console(highlight=False)
    with _search_bars(console, request) as bars:
        result = run_search(
            request,
            on_log=log_printer(console),
            on_start=bars.on_start,
            on_trial=bars.on_trial,
            progress=bars.on_step,
        )
    status = 128 + signal.SIGINT if result.interrupted or result.best is None else 0
    if result.interrupted:
        kept = "the same command resumes it" if request.storage else "--storage would keep them"
        console.print(f"Stopped by you; {kept}.")
    if result.new_trials:
        each = result.seconds / result.new_trials
        console.print(f"{result.new_trials} trials in {result.seconds:.0f} s, {each:.1f} s each")
    if result.best is None:
        console.print("Stopped before the first trial was done.")
        return status
    if result.gain is not None:
        console.print(_gain_table(request.metric, result.gain))
    _print_best(console, request, result, result.best.values)
    return status


class _SearchBars:
    """A bar over the trials, beside one for each step before and after them."""

    def __init__(self, console: Console, bars: Bars, request: TuningRequest) -> None:
        self._console, self._bars, self._request = console, bars, request
        self._best = -math.inf
        self._trials: TaskID | None = None
        self._steps: dict[str, TaskID] = {}

    def on_start(self, start: SearchStart) -> None:
        self._console.print(
            f"Each trial learns from {start.trained_events:,} events and ranks "
            f"{start.rankings:,} times in the next {start.ranked_events:,}"
        )
        done = len(start.done)
        if done:
            self._console.print(f"Going on: {done} trials are done already")
        self._best = max((trial.metric for trial in start.done), default=-math.inf)
        self._trials = self._bars.add_task("Trials", total=self._request.trials, completed=done)

    def on_trial(self, trial: CompletedTrial) -> None:
        assert self._trials is not None
        self._best = max(self._best, trial.metric)
        description = f"Trials, best {self._request.metric} {self._best:.4f}"
        self._bars.update(self._trials, advance=1, description=description)

    def on_step(self, step: str, done: float) -> None:
        if step not in self._steps:
            self._steps[step] = self._bars.add_task(step, total=1.0)
        self._bars.update(self._steps[step], completed=done)


@contextmanager
def _search_bars(console: Console, request: TuningRequest) -> Iterator[_SearchBars]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bars(*columns, TimeRemainingColumn(), console=console, transient=True) as bars:
        yield _SearchBars(console, bars, request)


def _gain_table(metric: str, gain: TuningGain) -> Table:
    table = Table(f"{metric} on the part that chose", "mean", "95 %")
    rows = {"defaults": gain.defaults, "best": gain.best, "gain": gain.gain}
    for name, figure in rows.items():
        table.add_row(name, f"{figure.mean:.4f}", f"{figure.low:.4f} to {figure.high:.4f}")
    return table


def _print_best(
    console: Console, request: TuningRequest, result: TuningResult, best: Values
) -> None:
    importance = list(result.importance.items())[:_MOST_IMPORTANT]
    if importance:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in importance)
        console.print(Text(f"What mattered most: {shares}"), soft_wrap=True)
    server = [f"--set {name}={value}" for name, value in request.fixed.items()]
    server += as_options(result.space, best, ParameterGroup.SERVER)
    refresh = as_options(result.space, best, ParameterGroup.REFRESH)
    finetune = as_options(result.space, best, ParameterGroup.FINETUNE)
    lines = []
    if not (server or refresh or finetune):
        lines.append(f"Nothing was better than the defaults ({request.metric})")
    if request.finetune:
        trained = [f"--steps {request.finetune_steps}", *finetune]
        lines.append(" ".join(["penchant finetune ... --method lora", *trained]))
    lines.append(" ".join(["penchant serve", *server]))
    if request.refresh:
        lines.append(" ".join(["penchant refresh --store ...", *server, *refresh]))
    evaluate = ["--refresh", *refresh] if request.refresh else []
    lines.append(" ".join(["penchant evaluate ...", *server, *evaluate]))
    lines.append("The last command measures them on the rest of the log; the figures above flatter")
    lines.append("the settings, because they come from the part that chose them.")
    console.print(Text("\n".join(lines)), soft_wrap=True)
