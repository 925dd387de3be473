"""Runs the steps of a plan one after another, and goes on where an earlier run stopped."""

from __future__ import annotations

import shlex
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from penchant.loop.loop_plan import Parameters, Plan, Step, steps_of
from penchant.loop.loop_state import (
    FINISHED,
    REFUSED,
    UNFINISHED,
    Done,
    RunState,
    drop_old,
    known_runs,
    last_published,
    read_state,
    write_state,
)

REFUSAL = 2
"""Exit code of a step that refuses what it was given."""
JUDGES = frozenset({"prune", "quantize", "gate", "publish"})
"""Steps that may refuse; from others the code means that they were called wrongly."""

Runner = Callable[[Step, Path], int]
"""Runs one step with its log at a path, and gives its exit code; 128 + n after signal n."""


def now() -> str:
    """The time in UTC, ISO 8601, seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def planned(plan: Plan, parameters: Parameters) -> tuple[Path, RunState, list[Step]]:
    """The run to go on with, or a new one where the last is finished; nothing is written."""
    runs, earlier = known_runs(plan.runs), last_published(plan.runs)
    directory, state = plan.runs / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}", RunState()
    if runs and read_state(runs[-1]).status == UNFINISHED:
        directory, state = runs[-1], read_state(runs[-1])
    checkpoint = None if earlier is None else earlier / "finetune"
    if checkpoint is not None and not checkpoint.is_dir():
        checkpoint = None
    return directory, state, steps_of(plan, directory, parameters, checkpoint)


def run(
    plan: Plan, parameters: Parameters, runner: Runner, say: Callable[[str], None]
) -> tuple[int, Path, RunState]:
    """Runs what is not finished; the caller holds the lock.

    Returns:
        The exit code of the loop (0 finished, 2 refused, 128 + n stopped by signal n, else 1), the
        directory of the run and its state.
    """
    directory, state, steps = planned(plan, parameters)
    directory.mkdir(parents=True, exist_ok=True)
    changed = False
    for step in steps:
        done = state.steps.get(step.name)
        same = done is not None and done.digest == step.digest and not changed
        if same and done is not None and done.exit_code == 0:
            say(f"{step.name}: finished earlier, skipped")
            continue
        if not same:
            changed = True
            if step.output is not None and step.output.exists():
                shutil.rmtree(step.output)
        code = _run_step(step, directory, state, runner, say)
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


def _run_step(
    step: Step, directory: Path, state: RunState, runner: Runner, say: Callable[[str], None]
) -> int:
    command = shlex.join(("penchant", *step.arguments))
    done = state.steps[step.name] = Done(step.digest, command, now())
    write_state(directory, state)
    say(command)
    began = time.monotonic()
    done.exit_code = runner(step, directory / f"{step.name}.log")
    done.seconds = time.monotonic() - began
    say(f"{step.name}: exit code {done.exit_code} after {done.seconds:.1f} s")
    write_state(directory, state)
    return done.exit_code
