"""Runs the steps of a plan one after another, and resumes a run that an earlier call left."""

from __future__ import annotations

import shlex
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from penchant.loop.loop_plan import CommandOptions, LoopPlan, LoopStep, steps_of
from penchant.loop.loop_state import (
    FINISHED,
    REFUSED,
    UNFINISHED,
    RunState,
    StepRecord,
    drop_old,
    known_runs,
    last_published,
    read_state,
    write_state,
)

REFUSAL = 2
"""Exit code of a step that refuses its input."""
JUDGES = frozenset({"prune", "quantize", "gate", "publish"})
"""Steps that may refuse their input; from others, that exit code means a wrong call."""

RunStep = Callable[[LoopStep, Path], int]
"""Runs one step with its log at a path; gives its exit code, 128 + n after signal n."""


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def plan_run(plan: LoopPlan, options: CommandOptions) -> tuple[Path, RunState, list[LoopStep]]:
    """Finds the run to resume, or plans a new one if the last is finished; writes nothing.

    Returns:
        The directory of the run, its state and its steps.
    """
    runs, earlier = known_runs(plan.runs), last_published(plan.runs)
    directory, state = plan.runs / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}", RunState()
    if runs and read_state(runs[-1]).status == UNFINISHED:
        directory, state = runs[-1], read_state(runs[-1])
    checkpoint = None if earlier is None else earlier / "finetune"
    if checkpoint is not None and not checkpoint.is_dir():
        checkpoint = None
    return directory, state, steps_of(plan, directory, options, checkpoint)


def run_steps(
    plan: LoopPlan, options: CommandOptions, run_step: RunStep, say: Callable[[str], None]
) -> tuple[int, Path, RunState]:
    """Runs the steps that are not finished; the caller holds the lock.

    Args:
        plan: a checked file.
        options: gives the long options of a command.
        run_step: runs one step.
        say: called with a line at the start and the end of each step.

    Returns:
        The exit code of the loop (0 finished, 2 refused, 128 + n stopped by signal n, else 1), the
        directory of the run and its state.
    """
    directory, state, steps = plan_run(plan, options)
    directory.mkdir(parents=True, exist_ok=True)
    changed = False
    for step in steps:
        record = state.steps.get(step.name)
        same = record is not None and record.digest == step.digest and not changed
        if same and record is not None and record.exit_code == 0:
            say(f"{step.name}: finished earlier, skipped")
            continue
        if not same:
            changed = True
            if step.output is not None and step.output.exists():
                shutil.rmtree(step.output)
        code = _run_recorded(step, directory, state, run_step, say)
        if code:
            refused = code == REFUSAL and step.name in JUDGES
            state.status = REFUSED if refused else UNFINISHED
            write_state(directory, state)
            drop_old(plan.runs, plan.keep)
            return (code if refused or code > 128 else 1), directory, state
    state.status, state.published = FINISHED, "publish" in plan.steps
    write_state(directory, state)
    drop_old(plan.runs, plan.keep)
    return 0, directory, state


def _run_recorded(
    step: LoopStep,
    directory: Path,
    state: RunState,
    run_step: RunStep,
    say: Callable[[str], None],
) -> int:
    command = shlex.join(("penchant", *step.arguments))
    record = state.steps[step.name] = StepRecord(step.digest, command, now())
    write_state(directory, state)
    say(command)
    began = time.monotonic()
    record.exit_code = run_step(step, directory / f"{step.name}.log")
    record.seconds = time.monotonic() - began
    say(f"{step.name}: exit code {record.exit_code} after {record.seconds:.1f} s")
    write_state(directory, state)
    return record.exit_code
