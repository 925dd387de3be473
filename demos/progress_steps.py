"""The demo's steps on the terminal: one at a time, each with its time when it is done."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


def bars(console: Console) -> Progress:
    """Where the bars of counted steps are shown; they vanish when done."""
    return Progress(
        TextColumn("  {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


class DemoStep:
    """A step under way: what it says of itself, and what is said when it is done."""

    def __init__(self, console: Console, text: str) -> None:
        self.text = text
        self.done = text
        self.status = console.status(f"{text} ...")

    def say(self, detail: str) -> None:
        """Tells what it is at."""
        self.status.update(f"{self.text}: {detail} ...")


@contextmanager
def step(console: Console, text: str) -> Iterator[DemoStep]:
    """Shows a step under way, and a line with its time once it is done."""
    shown = DemoStep(console, text)
    began = time.monotonic()
    with shown.status:
        yield shown
    _tick(console, shown.done, began)


@contextmanager
def bar(console: Console, progress: Progress, text: str, total: int) -> Iterator[TaskID]:
    """Shows a step that is counted, and a line with its time once it is done."""
    began = time.monotonic()
    task = progress.add_task(text, total=total)
    yield task
    progress.remove_task(task)
    _tick(console, f"{text}: {total:,}", began)


def _tick(console: Console, text: str, began: float) -> None:
    seconds = time.monotonic() - began
    console.print(Text.assemble(("✓ ", "green"), text, (f"  {seconds:.1f} s", "dim")))
