"""Shows the step that a job is at, on a line that is gone when the job ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.text import Text

from penchant.cli.progress_lines import progress_lines
from penchant.report.terminal import Terminal
from penchant.system.progress import Progress


@contextmanager
def step_status(console: Terminal, first: str) -> Iterator[Progress]:
    """Gives a job the callback for its progress.

    Args:
        console: the terminal.
        first: text of the line until the job begins its first step.
    """
    with text_status(console, first) as update:
        yield lambda step, done: update(f"{step}, {done:.0%}" if 0 < done < 1 else step)


@contextmanager
def text_status(console: Terminal, first: str) -> Iterator[Callable[[str], None]]:
    """As `step_status`, for a job that names its steps alone."""
    with console.status(Text(first)) as status, progress_lines(console, first) as lines:

        def update(text: str) -> None:
            lines.text = text
            status.update(Text(text))

        yield update
