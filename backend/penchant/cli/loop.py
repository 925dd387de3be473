"""`penchant loop`: the slow clock as one resumable job, from one file."""

from __future__ import annotations

import dataclasses
import json as json_format
import shlex
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from penchant.cli.progress_lines import progress_lines
from penchant.domain.errors import ConfigError
from penchant.loop.loop_state import LockHeld, RunState
from penchant.loop.loop_steps import now
from penchant.loop.run_loop import LoopRequest, plan_loop, run_loop
from penchant.report.printable import printable, printable_lines
from penchant.report.terminal import terminal
from penchant.system.durable_file import write_whole
from penchant.system.option_types import FLAT, Flag

HELD = 3
"""Exit code if another run holds the lock."""


def loop(
    request: Annotated[LoopRequest, FLAT],
    *,
    dry_run: Annotated[Flag, Parameter(help="Print the commands, and run none.")] = False,
    json: Annotated[Path | None, Parameter(help="File for a report of the run.")] = None,
) -> int:
    """Fine-tunes, exports, checks and publishes; a second call resumes where the first stopped.

    Exit codes: 0 finished, 1 an error, 2 a step refused, 3 another run holds the lock,
    128 + n stopped by signal n.
    """
    if dry_run:
        for step in plan_loop(request, _options):
            print(shlex.join(("penchant", *step.arguments)))
        return 0
    try:
        with progress_lines(terminal(), "Starting") as lines:

            def say(line: str) -> None:
                lines.text = printable(line)
                _say(line)

            result = run_loop(request, _options, say)
    except LockHeld as error:
        print(f"penchant: {printable_lines(str(error))}", file=sys.stderr)
        return HELD
    terminal().print(_summary(result.directory, result.state))
    if json is not None:
        report = {
            "exit_code": result.exit_code,
            "run": str(result.directory),
            **dataclasses.asdict(result.state),
        }
        write_whole(json, json_format.dumps(report, indent=1) + "\n")
    return result.exit_code


@cache
def _options(command: str) -> Mapping[str, bool]:
    """The long options of a command, and whether each is a flag."""
    from penchant.cli.main import COMMANDS, options_of

    if command not in COMMANDS:
        raise ConfigError(f"steps.{command}: this release has no command penchant {command}")
    return options_of(command)


def _say(line: str) -> None:
    print(f"{now()} {printable(line)}", flush=True)


def _summary(directory: Path, state: RunState) -> Table:
    table = Table("step", "seconds", "exit code", "last line", title=f"{directory}: {state.status}")
    for name, step in state.steps.items():
        log = directory / f"{name}.log"
        lines = log.read_text(errors="replace").split("\n") if log.is_file() else []
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        table.add_row(name, f"{step.seconds:.1f}", str(step.exit_code), printable(last))
    return table
