"""Laws of the loop, with a recorder in place of processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penchant.domain.errors import ConfigError
from penchant.loop.loop_plan import LoopPlan, LoopStep, read_plan, steps_of
from penchant.loop.loop_state import LockHeld, known_runs, locked
from penchant.loop.loop_steps import run_steps

OPTIONS = {
    command: {f"--{name}": name == "shadow" for name in names.split()}
    for command, names in {
        "finetune": "output from source steps set",
        "export": "output source",
        "quantize": "output source max-loss method",
        "compile": "source",
        "publish": "candidate store shadow",
    }.items()
}
STEPS: dict[str, Any] = {"finetune": {"steps": 1}, "export": {}, "quantize": {}, "publish": {}}


def plan_of(runs: Path, **more: Any) -> LoopPlan:
    return read_plan({"runs": str(runs), "steps": STEPS | more}, OPTIONS.__getitem__)


class LoopKilled(BaseException):
    """The loop is killed in the middle of a step."""


class StepRecorder:
    """Records each step; ends one with its own exit code, or kills the loop in it."""

    def __init__(self, at: str = "", code: int = 0, killed: bool = False) -> None:
        self.at, self.code, self.killed = at, code, killed
        self.steps: list[LoopStep] = []

    def __call__(self, step: LoopStep, log: Path) -> int:
        self.steps.append(step)
        if step.output is not None:
            step.output.mkdir(exist_ok=True)
        if step.name == self.at and self.killed:
            raise LoopKilled
        return self.code if step.name == self.at else 0

    def names(self) -> list[str]:
        return [step.name for step in self.steps]


def go(plan: LoopPlan, recorder: StepRecorder) -> int:
    return run_steps(plan, OPTIONS.__getitem__, recorder, lambda _: None)[0]


def test_a_killed_run_is_gone_on_with_and_repeats_no_finished_step(tmp_path: Path) -> None:
    with pytest.raises(LoopKilled):
        go(plan_of(tmp_path), StepRecorder("export", killed=True))
    again = StepRecorder()
    assert go(plan_of(tmp_path), again) == 0
    assert again.names() == ["export", "quantize", "publish"]
    assert len(known_runs(tmp_path)) == 1


def test_changed_options_run_again_from_there(tmp_path: Path) -> None:
    assert go(plan_of(tmp_path), StepRecorder("publish", code=1)) == 1
    again = StepRecorder()
    go(plan_of(tmp_path, quantize={"max_loss": "2%"}), again)
    assert again.names() == ["quantize", "publish"]


@pytest.mark.parametrize(("step", "expected"), [("quantize", 2), ("export", 1)])
def test_only_a_step_that_judges_refuses_and_nothing_is_published(
    tmp_path: Path, step: str, expected: int
) -> None:
    recorder = StepRecorder(step, code=2)
    assert go(plan_of(tmp_path), recorder) == expected
    assert "publish" not in recorder.names()
    go(plan_of(tmp_path), StepRecorder())
    assert len(known_runs(tmp_path)) == (2 if expected == 2 else 1)


def test_a_step_stopped_by_a_signal_is_run_again(tmp_path: Path) -> None:
    assert go(plan_of(tmp_path), StepRecorder("finetune", code=143)) == 143
    again = StepRecorder()
    assert go(plan_of(tmp_path), again) == 0
    assert again.names() == list(STEPS)


def test_the_next_round_goes_on_from_the_last_published_one(tmp_path: Path) -> None:
    go(plan_of(tmp_path), StepRecorder())
    first, again = known_runs(tmp_path)[0], StepRecorder()
    go(plan_of(tmp_path), again)
    assert ("--from", str(first / "finetune")) == again.steps[0].arguments[3:5]


def test_steps_that_are_not_enabled_are_wired_around(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, quantize={"enabled": False}, publish={"shadow": True})
    publish = steps_of(plan, tmp_path, OPTIONS.__getitem__, None)[-1]
    assert publish.arguments == ("publish", "--shadow", "--candidate", str(tmp_path / "export"))


def test_an_encoder_that_no_step_makes_is_an_error(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, export={"enabled": False})
    with pytest.raises(ConfigError, match="quantize: got no encoder"):
        steps_of(plan, tmp_path, OPTIONS.__getitem__, None)


def test_int8_for_a_cpu_and_an_engine_for_a_gpu_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected one of them"):
        plan_of(tmp_path, compile={})
    plan = plan_of(tmp_path, compile={}, quantize={"method": "static"})
    assert "compile" in plan.steps


@pytest.mark.parametrize(
    "steps", [{"finetuen": {}}, {"finetune": {"stesp": 1}}, {"finetune": {"steps": True}}]
)
def test_a_typing_mistake_is_an_error_that_names_it(tmp_path: Path, steps: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        read_plan({"runs": str(tmp_path), "steps": steps}, OPTIONS.__getitem__)


def test_of_two_at_once_one_gets_the_lock(tmp_path: Path) -> None:
    refused = pytest.raises(LockHeld, match="since noon")
    with locked(tmp_path, "noon"), refused, locked(tmp_path, "later"):
        pass
