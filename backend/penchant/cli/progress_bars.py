"""What the commands that replay a log print on the way: the log's size, and progress bars."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, ProgressColumn, TaskID, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bars

from penchant.cli.log_summary import show_log
from penchant.cli.progress_lines import progress_lines
from penchant.evaluation.replay_log import OnLog
from penchant.report.terminal import Terminal
from penchant.system.progress import Progress


@contextmanager
def step_bars(console: Terminal, *more: ProgressColumn) -> Iterator[Progress]:
    """Shows one bar per step of a job, with more columns at will; all vanish at the end."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        *more,
    )
    with (
        Bars(*columns, console=console, transient=True) as bars,
        progress_lines(console, "Starting") as lines,
    ):
        tasks: dict[str, TaskID] = {}
        shown: dict[str, float] = {}

        def on_step(step: str, done: float) -> None:
            lines.text = f"{step}, {done:.0%}"
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=1.0)
                shown[step] = 0.0
            if done in (0.0, 1.0) or done - shown[step] >= 0.01:
                bars.update(tasks[step], completed=done)
                shown[step] = done

        yield on_step


def log_printer(console: Terminal) -> OnLog:
    """Prints the size of a log, the definition of a hit, and the rows that were left out."""
    return lambda stream, left_out, hits: show_log(console, stream, left_out, hits)
