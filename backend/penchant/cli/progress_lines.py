"""Lines of progress for whoever reads a log file instead of a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from penchant.report.terminal import Terminal, terminal

EVERY_S = 20.0
"""Time between two lines, in seconds."""


class ProgressLines:
    """Says at regular times where a job is, also while a step reports nothing."""

    def __init__(self, console: Terminal, first: str) -> None:
        self.text = first
        """Where the job is."""
        self._console, self._began_s, self._ended = console, time.monotonic(), Event()

    def run(self) -> None:
        """Prints lines until `end` is called."""
        while not self._ended.wait(EVERY_S):
            seconds = time.monotonic() - self._began_s
            self._console.say(f"{self.text} ({seconds:.0f} s so far)")

    def end(self) -> None:
        """Ends `run`."""
        self._ended.set()


@contextmanager
def progress_lines(console: Terminal, first: str) -> Iterator[ProgressLines]:
    """Prints a line every 20 s to standard error, unless the console shows progress itself.

    Args:
        console: the console of the command.
        first: where the job is until it says more.
    """
    lines = ProgressLines(terminal(stderr=True), first)
    if console.is_terminal:
        yield lines
        return
    thread = Thread(target=lines.run, name="progress", daemon=True)
    thread.start()
    try:
        yield lines
    finally:
        lines.end()
        thread.join()
