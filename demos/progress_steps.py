"""A demo's steps on the terminal: one at a time, each with its duration once it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from penchant.cli.next_steps import next_steps
from penchant.cli.progress_lines import ProgressLines, progress_lines
from penchant.report.terminal import Terminal

Advance = Callable[[int], None]
"""Moves a progress bar forward by a number of units."""


class DemoStep:
    """A step in progress."""

    def __init__(self, console: Terminal, text: str) -> None:
        self.text = text
        self.done = text
        """Line to print when the step has ended."""
        self.status = console.status(Text(f"{text} ..."))
        self.lines: ProgressLines | None = None

    def say(self, detail: str) -> None:
        """Shows a detail beside the step's text."""
        self.status.update(Text(f"{self.text}: {detail} ..."))
        if self.lines is not None:
            self.lines.text = f"{self.text}: {detail}"


@contextmanager
def step(console: Terminal, text: str) -> Iterator[DemoStep]:
    """Shows a step in progress, then a line with its duration."""
    shown = DemoStep(console, text)
    began = time.monotonic()
    with shown.status, progress_lines(console, text) as lines:
        shown.lines = lines
        yield shown
    tick(console, shown.done, time.monotonic() - began)


@contextmanager
def counted_step(console: Terminal, text: str, total: int) -> Iterator[Advance]:
    """Shows a step of `total` units as a progress bar, then a line with its duration."""
    began = time.monotonic()
    columns = (
        TextColumn("  {task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    quiet = not console.is_interactive  # A bar that nobody sees would leave an empty line.
    with (
        Progress(*columns, console=console, transient=True, disable=quiet) as progress,
        progress_lines(console, text) as lines,
    ):
        task = progress.add_task(text, total=total)

        def advance(units: int) -> None:
            progress.advance(task, units)
            lines.text = f"{text}, {progress.tasks[task].percentage:.0f}%"

        yield advance
    tick(console, f"{text}: {total:,}", time.monotonic() - began)


def tick(console: Terminal, text: str, seconds: float | None = None) -> None:
    """Prints the line of a finished step, with its duration if it is known."""
    duration = "" if seconds is None else f"  {seconds:.1f} s"
    console.print(Text.assemble(("✓ ", "green"), text, (duration, "dim")))


def print_results(console: Terminal, seconds: float, files: Mapping[str, Path]) -> None:
    """Prints the demo's duration and the files that it wrote, by what they hold."""
    written = " ".join(f"{name}: {path}." for name, path in files.items())
    console.print(Text(f"Done in {seconds:.0f} s. {written}"), soft_wrap=True)


def print_next(console: Terminal, suggestions: Mapping[str, str]) -> None:
    """Prints what to try next: commands or files, each with its purpose."""
    next_steps(console, suggestions, "\nTry next:")
