"""The slow clock as one job: read the file, hold the lock, run the steps that are not finished."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from penchant.loop.loop_plan import CommandOptions, LoopPlan, LoopStep, read_plan
from penchant.loop.loop_state import RunState, locked
from penchant.loop.loop_steps import now, plan_run, run_steps
from penchant.loop.step_processes import StepProcesses
from penchant.system.toml_file import read_toml


@dataclass(frozen=True, slots=True)
class LoopRequest:
    """The file of a loop."""

    file: Path
    """TOML file of the steps."""


@dataclass(frozen=True, slots=True)
class LoopResult:
    """The outcome of a run."""

    exit_code: int
    """0 finished, 2 refused, 128 + n stopped by signal n, else 1."""
    directory: Path
    """Directory of the run."""
    state: RunState


def run_loop(
    request: LoopRequest, options: CommandOptions, say: Callable[[str], None] = lambda line: None
) -> LoopResult:
    """Runs the steps of a file, each as a process, and resumes a run that is not finished.

    Args:
        request: the file.
        options: gives the long options of a command, as `penchant.cli.main.options_of` does.
        say: called with a line at the start and the end of each step.

    Raises:
        ConfigError: the file is not TOML, or does not fit the commands.
        LockHeld: another run of the same directory holds the lock.
    """
    plan = _read(request.file, options)
    with locked(plan.runs, now()) as lock, StepProcesses(lock) as processes:
        return LoopResult(*run_steps(plan, options, processes, say))


def plan_loop(request: LoopRequest, options: CommandOptions) -> list[LoopStep]:
    """Lists the steps that `run_loop` would run or skip, and writes nothing.

    Args:
        request: the file.
        options: gives the long options of a command.

    Raises:
        ConfigError: the file is not TOML, or does not fit the commands.
    """
    return plan_run(_read(request.file, options), options)[2]


def _read(file: Path, options: CommandOptions) -> LoopPlan:
    return read_plan(read_toml(file, "FILE"), options)
