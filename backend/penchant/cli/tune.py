"""`penchant tune`: the settings that suit a log, searched on its oldest part."""

from __future__ import annotations

import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table

from penchant.cli.invocation import current_words
from penchant.cli.next_steps import command_line, next_steps
from penchant.cli.progress_bars import log_printer
from penchant.cli.progress_lines import ProgressLines, progress_lines
from penchant.cli.tuned_file import check_tuned_file, write_tuned_file
from penchant.report.terminal import Terminal, terminal
from penchant.system.option_types import FLAT
from penchant.tuning.space import ParameterGroup, moved
from penchant.tuning.tune import SearchStart, TuningGain, TuningRequest, TuningResult
from penchant.tuning.tune import tune as run_search

if TYPE_CHECKING:
    from penchant.tuning.study import CompletedTrial

_DEFAULTS = TuningRequest()
_MOST_IMPORTANT = 5


@dataclass(frozen=True, slots=True)
class TuningOutput:
    """The file that `penchant tune` writes."""

    output: Annotated[Path, Parameter(group="Output")] = Path("tuned.toml")
    """File to write the best settings to, for --config of the other commands."""


def tune(
    *,
    request: Annotated[TuningRequest, FLAT] = _DEFAULTS,
    output: Annotated[TuningOutput, FLAT] = TuningOutput(),
) -> int:
    """Searches settings that rank better, on the oldest part of a log; reads nothing after it.

    Each trial replays that part as penchant evaluate does: it learns the older two thirds, and
    ranks for the newer third. Settings given by --set stay; the others begin at those of --start
    and of the settings file, at those that the store keeps, or at their defaults.
    """
    console = terminal()
    check_tuned_file(output.output)
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
        console.say(f"Stopped by you; {kept}.")
    if result.new_trials:
        each = result.seconds / result.new_trials
        console.say(f"{result.new_trials} trials in {result.seconds:.0f} s, {each:.1f} s each")
    if result.best is None:
        console.say("Stopped before the first trial was done.")
        return status
    if result.gain is not None:
        _print_gain(console, request.metric, result.gain)
    write_tuned_file(output.output, request, result, result.best.values)
    _print_best(console, request, result, output.output)
    return status


class _SearchBars:
    """A bar over the trials, beside one for each step before and after them."""

    def __init__(
        self, console: Terminal, bars: Bars, lines: ProgressLines, request: TuningRequest
    ) -> None:
        self._console, self._bars, self._lines, self._request = console, bars, lines, request
        self._best = -math.inf
        self._done = 0
        self._trials: TaskID | None = None
        self._steps: dict[str, TaskID] = {}

    def on_start(self, start: SearchStart) -> None:
        self._console.print(
            f"Each trial learns from {start.trained_events:,} events and ranks "
            f"{start.rankings:,} times in the next {start.ranked_events:,}"
        )
        done = self._done = len(start.done)
        if done:
            self._console.print(f"Going on: {done} trials are done already")
        self._best = max((trial.metric for trial in start.done), default=-math.inf)
        self._trials = self._bars.add_task("Trials", total=self._request.trials, completed=done)

    def on_trial(self, trial: CompletedTrial) -> None:
        assert self._trials is not None
        self._best = max(self._best, trial.metric)
        description = f"Trials, best {self._request.metric} {self._best:.4f}"
        self._done += 1
        self._lines.text = f"{description}: {self._done} of {self._request.trials}"
        self._bars.update(self._trials, advance=1, description=description)

    def on_step(self, step: str, done: float) -> None:
        if step not in self._steps:
            self._steps[step] = self._bars.add_task(step, total=1.0)
        self._bars.update(self._steps[step], completed=done)
        self._lines.text = f"{step}, {done:.0%}"


@contextmanager
def _search_bars(console: Terminal, request: TuningRequest) -> Iterator[_SearchBars]:
    step = TextColumn("{task.description}", markup=False)
    columns = (step, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        Bars(*columns, console=console, transient=True) as bars,
        progress_lines(console, "Starting") as lines,
    ):
        yield _SearchBars(console, bars, lines, request)


def _print_gain(console: Terminal, metric: str, gain: TuningGain) -> None:
    if gain.is_doubtful:
        console.say(
            "Warning: the interval of the gain holds zero. On this log the best settings can't be "
            "distinguished from those that the search began with: keep these, or search on more "
            "rankings (--train-fraction, --every 1).",
            "yellow",
        )
    table = Table(f"{metric} on the part that chose", "mean", "95 %")
    rows = {"first": gain.first, "best": gain.best, "gain": gain.gain}
    for name, figure in rows.items():
        table.add_row(name, f"{figure.mean:.4f}", f"{figure.low:.4f} to {figure.high:.4f}")
    console.print(table)


def _print_best(
    console: Terminal, request: TuningRequest, result: TuningResult, file: Path
) -> None:
    importance = list(result.importance.items())[:_MOST_IMPORTANT]
    if importance:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in importance)
        console.say(f"What mattered most: {shares}")
    assert result.best is not None
    best = result.best.values
    if not any(moved(result.space, best, group) for group in ParameterGroup):
        console.say(f"Nothing was better than the defaults ({request.metric}).")
    console.say(f"Settings: {file}. They come from the part that chose them, which flatters them.")
    from penchant.cli.main import options_of

    of_evaluate = options_of("evaluate").keys() - {"--set", "--json", "--report"}
    log = current_words(lambda name: name in of_evaluate)
    config = ("--config", file)
    steps = {
        command_line("evaluate", *config, *log): "measures them on the rest of the log",
        command_line("serve", *config): "serves with them",
    }
    if request.refresh:
        steps[command_line("refresh", *config)] = "refreshes with them, beside that server"
    next_steps(console, steps)
