"""Command lines that a command prints: they run as they are, in the same working directory."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from penchant.report.terminal import Terminal


def command_line(*words: object) -> str:
    """A command of `penchant` with its words quoted for a shell.

    >>> command_line("rank", "the user", "--target", "localhost:8001")
    "penchant rank 'the user' --target localhost:8001"
    """
    return shlex.join(("penchant", *map(str, words)))


def options(**given: object) -> list[str]:
    """The options that are given, as words of a command line; empty values are left out.

    >>> options(store="lmdb:/s", encoder=None, settings=("ridge=5",))
    ['--store', 'lmdb:/s', '--set', 'ridge=5']
    """
    words: list[str] = []
    for name, value in given.items():
        option = "--set" if name == "settings" else f"--{name.replace('_', '-')}"
        values = value if isinstance(value, (tuple, list)) else [value]
        for one in values:
            if one not in (None, ""):
                words += [option, str(one)]
    return words


def encoder_of(checkpoint: Path) -> Path:
    """The directory beside a checkpoint that its export is suggested to be written to."""
    return checkpoint.with_name(f"{checkpoint.name}-encoder")


def next_steps(console: Terminal, steps: Mapping[str, str], heading: str = "Next:") -> None:
    """Prints commands, one a line, each with what it does.

    Args:
        console: the terminal.
        steps: what each command does, by the command as `command_line` makes it.
        heading: the line above them.
    """
    width = max((len(command) for command, does in steps.items() if does), default=0)
    console.say(heading)
    for command, does in steps.items():
        console.say(f"  {command:<{width}}  {does}".rstrip())
