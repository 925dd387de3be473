"""Turns a declarative table into the commands of one run, each output wired to the next input."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penchant.domain.errors import ConfigError


@dataclass(frozen=True, slots=True)
class StepWiring:
    """The options of a step that the loop itself sets."""

    input_option: str = ""
    """Option that names the input, an output of an earlier step; empty: the step has none."""
    output_option: str = ""
    """Option that names the output; empty: the step makes no directory of its own."""
    needs: str = ""
    """Kind of the input: `checkpoint` (a Hugging Face directory) or `encoder` (an export)."""
    makes: str = ""
    """Kind of the output."""


WIRINGS = {
    "finetune": StepWiring(output_option="output", makes="checkpoint"),
    "prune": StepWiring("source", "output", needs="checkpoint", makes="checkpoint"),
    "export": StepWiring("source", "output", needs="checkpoint", makes="encoder"),
    "quantize": StepWiring("source", "output", needs="encoder", makes="encoder"),
    "compile": StepWiring("source", needs="encoder"),
    "evaluate": StepWiring("encoder", needs="encoder"),
    "gate": StepWiring("candidate", needs="encoder"),
    "publish": StepWiring("candidate", needs="encoder"),
}
"""Steps in the order in which they run."""
COMMON = ("store", "items", "events", "dataset", "set")
"""Options that stand once at the top of the file, for every step that takes them."""

CommandOptions = Callable[[str], Mapping[str, bool]]
"""Gives the long options of a command, such as `--steps`, and whether each is a flag.

Raises ConfigError for an unknown command.
"""


@dataclass(frozen=True, slots=True)
class LoopPlan:
    """A checked file of a loop."""

    runs: Path
    """Directory of all runs."""
    keep: int
    """Number of runs to keep, at least 1."""
    common: Mapping[str, Any]
    """Options for every step that takes them."""
    steps: Mapping[str, Mapping[str, Any]]
    """Options by step, in the order in which they run; enabled steps only."""


@dataclass(frozen=True, slots=True)
class LoopStep:
    """One command of a run."""

    name: str
    """Name of the command."""
    arguments: tuple[str, ...]
    """Arguments of the program `penchant`."""
    output: Path | None
    """Directory that the step makes."""
    digest: str
    """Digest of the arguments of this step and of all steps before it."""


def read_plan(table: Mapping[str, Any], options: CommandOptions) -> LoopPlan:
    """Checks a table, as tomllib reads it, against the options that the commands have.

    Raises:
        ConfigError: a key or step is unknown, a value is of a wrong kind, or no step is enabled.
    """
    _known("the file", table, ("runs", "keep", "steps", *COMMON))
    runs, keep, steps = table.get("runs"), table.get("keep", 5), table.get("steps", {})
    if not isinstance(runs, str) or not runs:
        got = "none" if runs is None else repr(runs)
        raise ConfigError(f"runs: got {got}, expected the path of a directory for the runs")
    if type(keep) is not int or keep < 1:
        raise ConfigError(f"keep: got {keep!r}, expected a whole number of at least 1")
    if not isinstance(steps, dict):
        raise ConfigError(f"steps: got {steps!r}, expected tables such as [steps.finetune]")
    _known("steps", steps, tuple(WIRINGS))
    chosen = {}
    for name in WIRINGS:
        own = steps.get(name, {"enabled": False})
        if not isinstance(own, dict):
            raise ConfigError(f"steps.{name}: got {own!r}, expected a table of options")
        enabled = own.get("enabled", True)
        if not isinstance(enabled, bool):
            raise ConfigError(f"steps.{name}.enabled: got {enabled!r}, expected true or false")
        if enabled:
            chosen[name] = _checked(name, own, _names(options, name))
    if not chosen:
        raise ConfigError(f"steps: none is enabled, expected some of {', '.join(WIRINGS)}")
    int8 = chosen.get("quantize", {"method": "static"}).get("method", "blockwise")
    if "compile" in chosen and int8 != "static":
        raise ConfigError(
            f"steps: got quantize with method {int8} and compile, expected one of them: TensorRT "
            'takes int8 of method = "static" alone'
        )
    common = {key: table[key] for key in COMMON if key in table}
    taken = {key for name in chosen for key in _names(options, name)}
    if lost := [key for key in common if key not in taken]:
        raise ConfigError(f"{', '.join(lost)}: no enabled step takes it; remove it")
    return LoopPlan(runs=Path(runs), keep=keep, common=common, steps=chosen)


def steps_of(
    plan: LoopPlan, directory: Path, options: CommandOptions, earlier: Path | None
) -> list[LoopStep]:
    """Makes the commands of one run.

    Args:
        plan: a checked file.
        directory: directory of the run.
        options: gives the long options of a command.
        earlier: checkpoint from which fine-tuning goes on, that of the last published run.

    Raises:
        ConfigError: a step needs an encoder or a checkpoint that no earlier step makes.
    """
    made: dict[str, Path] = {}
    steps, digest = [], ""
    for name, own in plan.steps.items():
        wiring, known = WIRINGS[name], _names(options, name)
        given = {key: value for key, value in plan.common.items() if key in known} | dict(own)
        output = directory / name if wiring.output_option else None
        if name == "finetune" and earlier is not None and "from" not in given:
            given.pop("source", None)
            given["from"] = str(earlier)
        if wiring.needs in made:
            given[wiring.input_option] = str(made[wiring.needs])
        elif wiring.input_option and wiring.input_option not in given:
            raise ConfigError(
                f"steps.{name}: got no {wiring.needs}; enable a step that makes one, or set "
                f"{wiring.input_option}"
            )
        if output is not None:
            given[wiring.output_option] = str(output)
        arguments = (name, *_arguments(given))
        digest = hashlib.sha256(json.dumps([digest, arguments]).encode()).hexdigest()
        steps.append(LoopStep(name, arguments, output, digest))
        if output is not None:
            made[wiring.makes] = output
    return steps


def _names(options: CommandOptions, command: str) -> dict[str, bool]:
    """The options of a command without their dashes, and whether each is a flag."""
    return {name.removeprefix("--"): flag for name, flag in options(command).items()}


def _arguments(options: Mapping[str, Any]) -> list[str]:
    arguments = []
    for key, value in options.items():
        name = "--" + key
        if value is True:
            arguments.append(name)
        elif value is not False:
            for one in value if isinstance(value, list) else [value]:
                arguments += [name, str(one)]
    return arguments


def _checked(step: str, options: Mapping[str, Any], known: Mapping[str, bool]) -> dict[str, Any]:
    own = {key.replace("_", "-"): value for key, value in options.items() if key != "enabled"}
    _known(f"steps.{step}", own, tuple(key for key in known if key != WIRINGS[step].output_option))
    for key, value in own.items():
        if isinstance(value, bool) != known[key]:
            expected = "true or false" if known[key] else "a value, not a flag"
            raise ConfigError(f"steps.{step}.{key}: got {value!r}, expected {expected}")
        if isinstance(value, dict):
            raise ConfigError(f"steps.{step}.{key}: got a table, expected a value or a list")
    return own


def _known(where: str, got: Mapping[str, Any], expected: tuple[str, ...]) -> None:
    if unknown := [key for key in got if key not in expected]:
        raise ConfigError(
            f"{where}: got unknown {', '.join(unknown)}, expected some of {', '.join(expected)}"
        )
