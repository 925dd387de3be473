"""From a declarative table to the commands of one run, with each output wired to the next input."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penchant.domain.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Wiring:
    """Which options of a command the loop itself gives."""

    takes: str = ""
    """The option that names what an earlier step made; empty: none."""
    gives: str = ""
    """The option that names its output; empty: it makes no directory of its own."""
    needs: str = ""
    """What it takes: a checkpoint (a Hugging Face directory) or an encoder (an export)."""
    makes: str = ""
    """What its output is."""


WIRINGS = {
    "finetune": Wiring(gives="output", makes="checkpoint"),
    "prune": Wiring("source", "output", needs="checkpoint", makes="checkpoint"),
    "export": Wiring("source", "output", needs="checkpoint", makes="encoder"),
    "quantize": Wiring("encoder", "output", needs="encoder", makes="encoder"),
    "compile": Wiring("encoder", needs="encoder"),
    "evaluate": Wiring("encoder", needs="encoder"),
    "gate": Wiring("candidate", needs="encoder"),
    "publish": Wiring("encoder", needs="encoder"),
}
"""The steps in the order in which they run."""
COMMON = ("store", "items", "events", "dataset", "set")
"""Options that stand once at the top, for the steps that take them."""

Parameters = Callable[[str], Mapping[str, bool]]
"""Of a command: its long options without dashes, and whether each is a flag."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked file."""

    runs: Path
    """Directory of all runs."""
    keep: int
    """Runs that are kept, at least 1."""
    common: Mapping[str, Any]
    steps: Mapping[str, Mapping[str, Any]]
    """Options by step, in the order in which they run, without steps that are not enabled."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a run."""

    name: str
    arguments: tuple[str, ...]
    """What follows `penchant`."""
    output: Path | None
    digest: str
    """Of this step's arguments and of all steps before it."""


def read_plan(table: Mapping[str, Any], parameters: Parameters) -> Plan:
    """Checks a table, as tomllib reads it, against the options that commands really have.

    Raises:
        ConfigError: an unknown key or step, a value of a wrong kind, or no step at all.
    """
    _known("the file", table, ("runs", "keep", "steps", *COMMON))
    runs, keep, steps = table.get("runs"), table.get("keep", 5), table.get("steps", {})
    if not isinstance(runs, str) or not runs:
        raise ConfigError(f"runs: got {runs!r}, expected the path of a directory")
    if type(keep) is not int or keep < 1:
        raise ConfigError(f"keep: got {keep!r}, expected a whole number of at least 1")
    if not isinstance(steps, dict):
        raise ConfigError(f"steps: got {steps!r}, expected tables such as [steps.finetune]")
    _known("steps", steps, tuple(WIRINGS))
    chosen = {}
    for name in WIRINGS:
        options = steps.get(name, {"enabled": False})
        if not isinstance(options, dict):
            raise ConfigError(f"steps.{name}: got {options!r}, expected a table of options")
        enabled = options.get("enabled", True)
        if not isinstance(enabled, bool):
            raise ConfigError(f"steps.{name}.enabled: got {enabled!r}, expected true or false")
        if enabled:
            chosen[name] = _checked(name, options, parameters(name))
    if not chosen:
        raise ConfigError(f"steps: none is enabled, expected some of {', '.join(WIRINGS)}")
    int8 = chosen.get("quantize", {"method": "static"}).get("method", "blockwise")
    if "compile" in chosen and int8 != "static":
        raise ConfigError(
            f"steps: got quantize with method {int8} and compile, expected one of them: TensorRT "
            'takes int8 of method = "static" alone'
        )
    common = {key: table[key] for key in COMMON if key in table}
    taken = {key for name in chosen for key in parameters(name)}
    if lost := [key for key in common if key not in taken]:
        raise ConfigError(f"{', '.join(lost)}: no enabled step takes it; remove it")
    return Plan(runs=Path(runs), keep=keep, common=common, steps=chosen)


def steps_of(
    plan: Plan, directory: Path, parameters: Parameters, earlier: Path | None
) -> list[Step]:
    """The commands of one run.

    Args:
        plan: a checked file.
        directory: of the run.
        parameters: the options of commands.
        earlier: what finetune made in the last published run; the next round goes on from it.

    Raises:
        ConfigError: a step needs an encoder or a checkpoint that no step before it makes.
    """
    made: dict[str, Path] = {}
    steps, digest = [], ""
    for name, own in plan.steps.items():
        wiring, known = WIRINGS[name], parameters(name)
        options = {key: value for key, value in plan.common.items() if key in known} | dict(own)
        output = directory / name if wiring.gives else None
        if name == "finetune" and earlier is not None and "from" not in options:
            options.pop("source", None)
            options["from"] = str(earlier)
        if wiring.needs in made:
            options[wiring.takes] = str(made[wiring.needs])
        elif wiring.takes and wiring.takes not in options:
            raise ConfigError(
                f"steps.{name}: got no {wiring.needs}; enable a step that makes one, or set "
                f"{wiring.takes}"
            )
        if output is not None:
            options[wiring.gives] = str(output)
        arguments = (name, *_arguments(options))
        digest = hashlib.sha256(json.dumps([digest, arguments]).encode()).hexdigest()
        steps.append(Step(name, arguments, output, digest))
        if output is not None:
            made[wiring.makes] = output
    return steps


def _arguments(options: Mapping[str, Any]) -> list[str]:
    said = []
    for key, value in options.items():
        name = "--" + key
        if value is True:
            said.append(name)
        elif value is not False:
            for one in value if isinstance(value, list) else [value]:
                said += [name, str(one)]
    return said


def _checked(step: str, options: Mapping[str, Any], known: Mapping[str, bool]) -> dict[str, Any]:
    own = {key.replace("_", "-"): value for key, value in options.items() if key != "enabled"}
    _known(f"steps.{step}", own, tuple(key for key in known if key != WIRINGS[step].gives))
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
