"""`penchant loop`: the slow clock as one resumable job, from one file."""

from __future__ import annotations

import contextlib
import dataclasses
import json as json_format
import shlex
import signal
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Self

import typer
from rich.console import Console
from rich.table import Table

from penchant.domain.errors import ConfigError
from penchant.loop.loop_plan import Step, read_plan
from penchant.loop.loop_run import now, planned, run
from penchant.loop.loop_state import LockHeld, RunState, locked

HELD = 3
_STOPS = (signal.SIGTERM, signal.SIGINT)


def loop(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="TOML of the steps.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the commands alone.")] = False,
    json: Annotated[Path | None, typer.Option(help="Write what was done here.")] = None,
) -> None:
    """Fine-tunes, exports, checks and publishes; a second call goes on where the first stopped.

    Exit codes: 0 finished, 1 an error, 2 a step refused, 3 another run holds the lock,
    128 + n stopped by signal n.
    """
    plan = read_plan(_read(file), parameters)
    if dry_run:
        for step in planned(plan, parameters)[2]:
            typer.echo(shlex.join(("penchant", *step.arguments)))
        return
    try:
        with locked(plan.runs, now()) as lock, Processes(lock) as processes:
            code, directory, state = run(plan, parameters, processes, _say)
    except LockHeld as error:
        typer.echo(f"penchant: {error}", err=True)
        raise typer.Exit(HELD) from error
    Console().print(_summary(directory, state))
    if json is not None:
        table = {"exit_code": code, "run": str(directory), **dataclasses.asdict(state)}
        json.write_text(json_format.dumps(table, indent=1) + "\n", encoding="utf-8")
    raise typer.Exit(code)


@cache
def parameters(command: str) -> Mapping[str, bool]:
    """The long options of a command, and whether each is a flag.

    Raises:
        ConfigError: this release has no such command.
    """
    from penchant.cli.main import COMMANDS, options_of

    if command not in COMMANDS:
        raise ConfigError(f"steps.{command}: this release has no command penchant {command}")
    return {name.removeprefix("--"): flag for name, flag in options_of(command).items()}


class Processes:
    """Runs each step as a process of its own; within `with`, passes signals on to it."""

    def __init__(self, lock: int) -> None:
        self._lock = lock
        self._stopped: list[int] = []
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in _STOPS:
            self._before[number] = signal.signal(
                number, lambda got, _frame: self._stopped.append(got)
            )
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def __call__(self, step: Step, log: Path) -> int:
        """Runs a step to its end; 128 + n after signal n."""
        if self._stopped:
            return 128 + self._stopped[0]
        command = [sys.executable, "-m", "penchant.cli.main", *step.arguments]
        with log.open("ab") as file:
            process = subprocess.Popen(
                command,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(self._lock,),
            )
            sent = 0
            while process.poll() is None:
                for number in self._stopped[sent:]:
                    process.send_signal(number)
                    sent += 1
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.2)
        if process.returncode and self._stopped:
            return 128 + self._stopped[0]
        return process.returncode if process.returncode >= 0 else 1


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not TOML: {error}") from error


def _say(line: str) -> None:
    typer.echo(f"{now()} {line}")


def _summary(directory: Path, state: RunState) -> Table:
    table = Table("step", "seconds", "exit code", "last line", title=f"{directory}: {state.status}")
    for name, done in state.steps.items():
        log = directory / f"{name}.log"
        lines = log.read_text(errors="replace").split("\n") if log.is_file() else []
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        table.add_row(name, f"{done.seconds:.1f}", str(done.exit_code), last)
    return table
