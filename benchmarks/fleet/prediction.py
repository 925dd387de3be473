"""Predicts the capacity of a server with two processes that rank from a measurement of one's.

    penchant capacity --p99-ms 250 --rank-instances 1 --feedback-share 10% --output out/one
    penchant capacity --p99-ms 250 --rank-instances 2 --feedback-share 10% --output out/two
    python -m benchmarks.fleet.prediction out/one/capacity.json out/two/capacity.json

The simulation is calibrated on the first file alone: processor time a call of each process, what
other programs took of the machine. Writes docs/data/prediction.json.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.fleet.fleet_plan import highest, keeps_p99
from benchmarks.fleet.measured_server import CallsAtWork, calls_at_work
from benchmarks.fleet.server_queue import OfferedLoad, ServerCosts, ServerShape
from penchant.system.durable_file import write_whole

PREDICTION = Path(__file__).resolve().parents[2] / "docs/data/prediction.json"


@dataclass(frozen=True, slots=True)
class PredictedCapacity:
    """A predicted capacity, and what was measured."""

    rank_processes: int
    predicted_per_s: float
    measured_per_s: float
    low_per_s: float
    """Of the measurement's 90 % interval."""
    high_per_s: float
    others_cores: float
    """Cores that other programs used while it was measured; the prediction was told."""
    fitted: bool
    """Whether the simulation was calibrated on this server."""


def predicted_per_s(
    work: CallsAtWork,
    rank_processes: int,
    feedback_share: float,
    p99_ms: float,
    others: float,
    calls: int = 12_000,
) -> float:
    """The capacity of a server whose sender shares its machine.

    Args:
        work: costs of calls, as measured on some server.
        rank_processes: processes that rank.
        feedback_share: share of the calls that report an event.
        p99_ms: p99 to keep.
        others: cores that other programs use meanwhile; they slow every core down alike.
        calls: simulated calls of one trial.
    """
    slower = work.cores / max(work.cores - others, 0.1)
    costs = ServerCosts(
        rank_s=work.rank_us * slower / 1e6,
        triton_s=(work.triton_us + work.sender_us) * slower / 1e6,
        commit_s=lambda events: events * work.feedback_us * slower / 1e6,
        sync_s=0.0,
    )
    shape = ServerShape(work.cores, rank_processes)

    def kept(rate: float) -> bool:
        load = OfferedLoad(rate * (1 - feedback_share), rate * feedback_share)
        return keeps_p99(shape, costs, load, p99_ms, calls)

    return highest(kept, 1.0, 20_000.0)


def main() -> None:
    """Predicts both, prints them beside what was measured, and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("one", type=Path, help="capacity.json of one process that ranks")
    parser.add_argument("two", type=Path, help="capacity.json of two")
    options = parser.parse_args()
    work = calls_at_work(options.one)
    rows = [_row(work, path, path == options.one) for path in (options.one, options.two)]
    for one in rows:
        print(
            f"{one.rank_processes} processes: predicted {one.predicted_per_s:,.0f}/s, measured "
            f"{one.measured_per_s:,.0f}/s ({one.low_per_s:,.0f} to {one.high_per_s:,.0f})"
        )
    content = {
        "command": "python -m benchmarks.fleet.prediction",
        "calibrated_on": asdict(work),
        "rows": [asdict(one) for one in rows],
    }
    write_whole(PREDICTION, json.dumps(content, indent=1) + "\n")


def _row(work: CallsAtWork, path: Path, fitted: bool) -> PredictedCapacity:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    asked = content["request"]
    processes = int(asked["rank_instances"])
    share = 0.5 if asked["feedback_share"] == "None" else float(asked["feedback_share"])
    others = calls_at_work(path).others_cores
    predicted = predicted_per_s(work, processes, share, float(asked["p99_ms"]), others)
    low, high = content["interval_90_per_s"]
    return PredictedCapacity(
        processes, predicted, content["capacity_per_s"], low, high, others, fitted
    )


if __name__ == "__main__":
    main()
