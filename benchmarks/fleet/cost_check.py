"""Checks the costs that the simulation puts together against points that lie on no curve.

    python -m benchmarks.fleet.cost_check

Each curve varies one size. Here three are changed at once, in process, by processor time, in turns
with a point that lies on the curves: what is compared is the ratio of the two. Writes
docs/data/cost_check.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from threadpoolctl import threadpool_limits

from benchmarks.costs.cost_curve import CostedCall, measured_curve
from benchmarks.costs.cost_file import read_costs
from benchmarks.costs.costed_app import CostedApp, costed_app
from benchmarks.costs.folded import fold_call
from benchmarks.fleet.call_costs import CallCosts
from penchant.system.durable_file import write_whole

CHECK = Path(__file__).resolve().parents[2] / "docs/data/cost_check.json"
_USERS = 200


@dataclass(frozen=True, slots=True)
class CheckedCost:
    """A predicted ratio of two costs, and the measured one."""

    what: str
    against: str
    """The point on the curves."""
    predicted: float
    measured: float
    low: float
    """Smallest ratio of a round."""
    high: float
    """Largest ratio of a round."""

    @property
    def off(self) -> float:
        """By which share the prediction is too high; negative: too low."""
        return self.predicted / self.measured - 1


def checks(place: Path, costs: CallCosts, rounds: int) -> Iterator[CheckedCost]:
    """Rankings and folds far from every curve."""
    with ExitStack() as stack:
        usual = stack.enter_context(costed_app(place / "usual", items=1000, users=_USERS))
        for items, dimensions, k in ((30_000, 96, 50), (3_000, 384, 200), (70_000, 48, 20)):
            far = stack.enter_context(
                costed_app(place / f"far{items}", items=items, users=_USERS, dimensions=dimensions)
            )
            yield _compared(
                f"rank of {items:,} items, d = {dimensions}, k = {k}",
                "1,000 items, d = 64, k = 10",
                costs.rank_us(items, dimensions, k) / costs.rank_us(1000, 64, 10),
                _rank(usual, 10),
                _rank(far, k),
                rounds,
            )
    for window, dimensions in ((500, 96), (200, 256), (900, 16)):
        yield _compared(
            f"fold of W = {window}, d = {dimensions}",
            "W = 100, d = 64",
            costs.fold_us(window, dimensions) / costs.fold_us(100, 64),
            fold_call(window=100, dimensions=64),
            fold_call(window=window, dimensions=dimensions),
            rounds,
        )


def _compared(
    what: str, against: str, predicted: float, near: CostedCall, far: CostedCall, rounds: int
) -> CheckedCost:
    ratios = [measured_curve(what, "", {1: near, 2: far}, 2).ratio[1] for _ in range(rounds)]
    measured = statistics.median(ratios)
    return CheckedCost(what, against, predicted, measured, min(ratios), max(ratios))


def _rank(app: CostedApp, k: int) -> CostedCall:
    return app.rankings(k=k)


def main() -> None:
    """Measures, prints a line a check, and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    found = []
    with tempfile.TemporaryDirectory(prefix="penchant-check-") as name, threadpool_limits(1):
        for one in checks(Path(name), CallCosts(read_costs()), rounds):
            found.append(one)
            print(
                f"{one.what} over {one.against}: predicted {one.predicted:.2f}, measured "
                f"{one.measured:.2f} ({one.low:.2f} to {one.high:.2f}), off by {one.off:+.0%}"
            )
    content = {
        "command": "python -m benchmarks.fleet.cost_check",
        "checks": [{**asdict(one), "off": one.off} for one in found],
    }
    write_whole(CHECK, json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
