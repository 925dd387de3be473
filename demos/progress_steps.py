"""A demo's steps on the terminal: one at a time, each with its duration once it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

Advance = Callable[[int], None]
"""Moves a progress bar forward by a number of units."""


class DemoStep:
    """A step in progress."""

    def __init__(self, console: Console, text: str) -> None:
        self.text = text
        self.done = text
        """Line to print when the step has ended."""
        self.status = console.status(f"{text} ...")

    def say(self, detail: str) -> None:
        """Shows a detail beside the step's text."""
        self.status.update(f"{self.text}: {detail} ...")


@contextmanager
def step(console: Console, text: str) -> Iterator[DemoStep]:
    """Shows a step in progress, then a line with its duration."""
    shown = DemoStep(console, text)
    began = time.monotonic()
    with shown.status:
        yield shown
    tick(console, shown.done, time.monotonic() - began)


@contextmanager
def counted_step(console: Console, text: str, total: int) -> Iterator[Advance]:
    """Shows a step of `total` units as a progress bar, then a line with its duration."""
    began = time.monotonic()
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    quiet = not console.is_interactive  # A bar that nobody sees would leave an empty line.
    with Progress(*columns, console=console, transient=True, disable=quiet) as progress:
        task = progress.add_task(text, total=total)
        yield lambda units: progress.advance(task, units)
    tick(console, f"{text}: {total:,}", time.monotonic() - began)


def tick(console: Console, text: str, seconds: float | None = None) -> None:
    """Prints the line of a finished step, with its duration if it is known."""
    duration = "" if seconds is None else f"  {seconds:.1f} s"
    console.print(Text.assemble(("✓ ", "green"), text, (duration, "dim")))


def print_results(console: Console, seconds: float, files: Mapping[str, Path]) -> None:
    """Prints the demo's duration and the files that it wrote, by what they hold."""
    written = " ".join(f"{name}: {path}." for name, path in files.items())
    console.print(Text(f"Done in {seconds:.0f} s. {written}"), soft_wrap=True)


def print_next(console: Console, suggestions: Mapping[str, str]) -> None:
    """Prints what to try next: commands or files, each with its purpose."""
    width = max((len(command) for command, purpose in suggestions.items() if purpose), default=0)
    lines = [f"  {command:{width}}  {purpose}".rstrip() for command, purpose in suggestions.items()]
    console.print(Text("\n".join(["", "Try next:", *lines])), soft_wrap=True)
