"""Runs a command of the command line in this process."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from unittest import mock

from penchant.cli import main


@dataclass(frozen=True, slots=True)
class Ran:
    """The outcome of a command."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        """Standard output and standard error."""
        return self.stdout + self.stderr


def run(arguments: Sequence[object], columns: int = 200, given: str = "") -> Ran:
    """Runs `penchant ARGUMENTS...` in this process; an unforeseen error propagates.

    `given` is what the command reads from standard input.
    """
    stdout, stderr = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, {"COLUMNS": str(columns)}),
        mock.patch("sys.stdin", io.StringIO(given)),
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
    ):
        exit_code = main.run([str(argument) for argument in arguments])
    return Ran(exit_code, stdout.getvalue(), stderr.getvalue())
