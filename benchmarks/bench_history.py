"""The ratios of earlier runs on this machine, so that a regression shows."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.table import RatioRow

COMPARED = 5
"""Earlier runs whose median a ratio is compared with."""
NOISE = 0.15
"""Relative difference that two runs of the same code may show."""


class BenchHistory:
    """A file of JSON lines, one a run: when, whether the compiled module ran, and its ratios."""

    def __init__(self, path: Path) -> None:
        """The file need not exist."""
        self._path = path

    def add(self, rows: Sequence[RatioRow], native: bool) -> list[str]:
        """Adds a run; returns what is worse, or better, than in the runs before.

        Args:
            rows: of the run; those with a ratio are kept.
            native: whether the compiled module ran; only runs that agree are compared.
        """
        ratios = {row.name: row.ratio for row in rows if row.ratio is not None}
        earlier = [run["ratios"] for run in self._runs() if run["native"] == native][-COMPARED:]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            run = {"at_s": round(time.time()), "native": native, "ratios": ratios}
            file.write(json.dumps(run) + "\n")
        return [
            f"{name}: {ratio:.2f}, {before:.2f} in the median of the last {len(known)} runs"
            for name, ratio in ratios.items()
            if (known := [run[name] for run in earlier if name in run])
            and abs(ratio / (before := statistics.median(known)) - 1) > NOISE
        ]

    def _runs(self) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        return [json.loads(line) for line in self._path.read_text("utf-8").splitlines()]
