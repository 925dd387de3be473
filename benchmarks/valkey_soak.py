"""What servers and nodes held over half an hour under load, every few minutes, for docs/scaling.md.

    python -m loadtest --cluster --shape soak --retention-s 300
    python -m benchmarks.valkey_soak out/loadtest-cluster.json

Writes docs/data/valkey_soak.json from the report of the first command.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from penchant.system.durable_file import write_whole

SOAK = Path(__file__).resolve().parents[1] / "docs/data/valkey_soak.json"
EVERY_MINUTES = 3.0


def soak_rows(report: Mapping[str, Any]) -> list[dict[str, float]]:
    """Sums over all servers and over all nodes, at every few minutes of a run.

    >>> looks = [{"at_s": 60.0 * minute, "memory_mib": {"server 1: x": 5.0, "node 1": 2.0},
    ...           "descriptors": {"server 1: x": 7, "node 1": 3}} for minute in (0, 3)]
    >>> store = [{"at_s": 170.0, "log_rows": 9, "memory_mib": 4.0}]
    >>> [(row["minute"], row["log_rows"]) for row in soak_rows({"timeline": looks, "store": store})]
    [(3.0, 9)]
    """
    looks, store = report["timeline"], report["store"]
    last = max(look["at_s"] for look in looks) / 60.0
    rows = []
    for number in range(1, int(last / EVERY_MINUTES + 0.5) + 1):
        at_s = 60.0 * EVERY_MINUTES * number
        look, kept = _nearest(looks, at_s), _nearest(store, at_s)
        row = {"minute": EVERY_MINUTES * number}
        for name, sign in (("servers", "server "), ("nodes", "node ")):
            for unit, held in (("mib", look["memory_mib"]), ("files", look["descriptors"])):
                row[f"{name}_{unit}"] = sum(
                    value for process, value in held.items() if process.startswith(sign)
                )
        rows.append({**row, "log_rows": kept["log_rows"], "store_mib": kept["memory_mib"]})
    return rows


def _nearest(looks: Sequence[dict[str, Any]], at_s: float) -> dict[str, Any]:
    return min(looks, key=lambda look: abs(float(look["at_s"]) - at_s))


def main() -> None:
    """Writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", type=Path, help="loadtest-cluster.json of a soak")
    report = json.loads(parser.parse_args().report.read_text(encoding="utf-8"))
    verbs = report["results"]["verbs"]
    content = {
        "command": "python -m benchmarks.valkey_soak",
        "rate": report["rate"],
        "capacity": report["capacity"],
        "requests": sum(one["requests"] for one in verbs.values()),
        "failures": sum(one["failures"] for one in verbs.values()),
        "kept": report["kept"],
        "broken": report["broken"],
        "rows": soak_rows(report),
    }
    write_whole(SOAK, json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
