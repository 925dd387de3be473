"""What a call costs in a real server, from the levels of a `penchant capacity`.

A process that has done other work since its last call finds its data out of the caches, so a call
costs more there than in a tight loop; Triton and, on one machine, the sender add their own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CAPACITY = Path(__file__).resolve().parents[2] / "docs/data/capacity.json"
_HALVES = 0.5
"""Share of the calls that report an event, without another --feedback-share."""


@dataclass(frozen=True, slots=True)
class CallsAtWork:
    """Processor time a call under load, in microseconds, and what else the machine did."""

    rank_us: float
    """Of the processes that rank, for a ranking."""
    feedback_us: float
    """Of the process that writes, for an event, in the batches that came."""
    triton_us: float
    """Of Triton, for any call."""
    sender_us: float
    """Of the sender, for any call."""
    others_cores: float
    """Cores that other programs used meanwhile."""
    cores: int
    per_s: float
    """Calls per second of the level that this was read from."""


def calls_at_work(path: Path = CAPACITY) -> CallsAtWork:
    """The costs at the busiest level that kept the service level, of a server of its own."""
    content = json.loads(path.read_text(encoding="utf-8"))
    share = _share(content["request"]["feedback_share"])
    kept = [one for one in content["levels"] if one["chance"] >= 0.5 and one["cores"]]
    level = max(kept, key=lambda one: float(one["rate"]))
    per_s = float(level["answered_per_s"])
    rank, feedback = (_cores(level, f"penchant_{kind}") for kind in ("rank", "feedback"))
    used = sum(level["cores"].values()) + level["sender_cores"]
    return CallsAtWork(
        rank_us=rank / (per_s * (1 - share)) * 1e6,
        feedback_us=feedback / (per_s * share) * 1e6 if share else 0.0,
        triton_us=_cores(level, "tritonserver") / per_s * 1e6,
        sender_us=level["sender_cores"] / per_s * 1e6,
        others_cores=max(0.0, level["machine_cores"] - used),
        cores=level["machine_has"],
        per_s=per_s,
    )


def _share(text: str) -> float:
    return _HALVES if text == "None" else float(text)


def _cores(level: dict[str, Any], kind: str) -> float:
    return float(sum(used for name, used in level["cores"].items() if name.startswith(kind)))
