"""The file of all measured costs, which the documentation and the simulation read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.costs.cost_curve import CostCurve
from penchant.system.durable_file import write_whole

COSTS = Path(__file__).resolve().parents[2] / "docs/data/costs.json"
COMMAND = "python -m benchmarks.costs"


def write_costs(path: Path, curves: Sequence[CostCurve], machine: str, rounds: int) -> None:
    """Writes all curves, with the machine that they were measured on."""
    content = {
        "command": COMMAND,
        "machine": machine,
        "rounds": rounds,
        "curves": [curve.as_dict() for curve in curves],
    }
    write_whole(path, json.dumps(content, indent=1) + "\n")


def read_costs(path: Path = COSTS) -> dict[tuple[str, str], CostCurve]:
    """The curves by cost and size."""
    content = json.loads(path.read_text(encoding="utf-8"))
    found = [CostCurve.from_dict(one) for one in content["curves"]]
    return {(one.what, one.axis): one for one in found}
