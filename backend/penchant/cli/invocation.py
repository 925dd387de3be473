"""The command that runs: every option that it was given, from wherever it came."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass

from cyclopts.argument import ArgumentCollection

from penchant.cli.next_steps import command_line


@dataclass(frozen=True, slots=True)
class Invocation:
    """A command with the options that it was given on the command line or from elsewhere."""

    command: tuple[str, ...]
    positional: tuple[str, ...]
    options: tuple[tuple[str, str | None], ...]
    """Option and value, in order; None for a flag."""

    def line(self) -> str:
        """The whole command, as somebody would type it without environment and settings file."""
        return command_line(*self.command, *self.positional, *_words(self.options))


_current: ContextVar[Invocation | None] = ContextVar("invocation", default=None)


def current_line() -> str:
    """The whole command that runs now; empty outside of the command line."""
    running = _current.get()
    return "" if running is None else running.line()


def record(commands: tuple[str, ...], arguments: ArgumentCollection) -> None:
    """Notes the options of the command that is about to run."""
    positional: list[str] = []
    options: list[tuple[str, str | None]] = []
    for argument in arguments:
        for token in argument.tokens:
            if not argument.name.startswith("-"):
                positional.append(token.value)
            elif argument.is_flag():
                if token.implicit_value is True or token.value.lower() == "true":
                    options.append((argument.name, None))
            else:
                options.append((argument.name, token.value))
    _current.set(Invocation(commands, tuple(positional), tuple(options)))


def _words(options: Iterable[tuple[str, str | None]]) -> list[str]:
    words = []
    for name, value in options:
        words += [name] if value is None else [name, value]
    return words
