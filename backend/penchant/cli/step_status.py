"""Shows the step that a job is at, on a line that is gone when the job ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from penchant.system.progress import Progress


@contextmanager
def step_status(console: Console, first: str) -> Iterator[Progress]:
    """Gives a job the callback for its progress.

    Args:
        console: the terminal.
        first: text of the line until the job begins its first step.
    """
    with console.status(first) as status:

        def on_step(step: str, done: float) -> None:
            status.update(f"{step}, {done:.0%}" if 0 < done < 1 else step)

        yield on_step
