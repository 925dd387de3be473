"""Everything that a person reads on a terminal, safe whatever the data holds.

Ids, texts and attributes come from anywhere. Three things could go wrong where a person reads them:
a control character moves the cursor or recolours the screen, `[red]` is taken for markup, and a
character that the terminal can't show ends the command. `Terminal` prevents all three, whoever
prints; `printable` also keeps a line break in an id from looking like a line of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from penchant.report.printable import without_controls
from penchant.system.log_format import json_line, logs_are_json

_PROGRAMS_WIDTH = 500
"""Columns, so that no line of a table is folded."""


class Terminal(Console):
    """A console without markup, whose text holds no control characters but line breaks."""

    def __init__(
        self, *, stderr: bool = False, file: IO[str] | None = None, width: int | None = None
    ) -> None:
        super().__init__(
            highlight=False, markup=False, emoji=False, stderr=stderr, file=file, width=width
        )

    def say(self, text: str, style: str = "") -> None:
        """Prints lines as they are: never folded, so that a command can be copied from them."""
        self.print(Text(text, style), soft_wrap=True)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Renders as rich does, with the control characters of texts escaped."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(without_controls(segment.text), segment.style)


class JsonTerminal(Terminal):
    """A console for programs: whatever is printed at once is one JSON object on one line."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, width=_PROGRAMS_WIDTH)
        self._printing = False

    def print(self, *objects: Any, **options: Any) -> None:
        """Prints one record."""
        if self._printing:
            super().print(*objects, **options)
            return
        self._printing = True
        try:
            with self.capture() as captured:
                super().print(*objects, **options)
        finally:
            self._printing = False
        text = "\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n")
        if text:
            self.file.write(json_line("INFO", text) + "\n")
            self.file.flush()


def terminal(*, stderr: bool = False) -> Terminal:
    """The console of a command: standard output, or standard error."""
    return JsonTerminal(stderr=stderr) if logs_are_json() else Terminal(stderr=stderr)
