"""The outcome of the GPU's benchmark: one JSON, and one page of tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.gpu.bench import PartResult


def write_results(results: Sequence[PartResult], output: Path) -> None:
    """Writes `gpu.json` and `gpu.md`; called after each part, so that a stop loses one at most."""
    output.mkdir(parents=True, exist_ok=True)
    told = [asdict(result) for result in results]
    (output / "gpu.json").write_text(json.dumps(told, indent=1, default=str) + "\n", "utf-8")
    page = "\n\n".join(section(result) for result in results)
    (output / "gpu.md").write_text(page + "\n", "utf-8")


def section(result: PartResult) -> str:
    """A part as Markdown.

    >>> print(section(PartResult("speed", 1.5, rows=[{"way": "a", "texts": 1}, {"way": "b"}])))
    ## speed (1.5 s)
    <BLANKLINE>
    | way | texts |
    |---|---|
    | a | 1 |
    | b |  |
    >>> print(section(PartResult("server", 0.0, skipped="no Triton")))
    ## server: skipped, no Triton
    """
    if result.skipped:
        return f"## {result.part}: skipped, {result.skipped}"
    if result.failed:
        return f"## {result.part}: failed after {result.seconds:.1f} s: {result.failed}"
    columns = list(dict.fromkeys(name for row in result.rows for name in row))
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    for row in result.rows:
        cells = (str(row.get(name, "")).replace("|", "\\|") for name in columns)
        lines.append(f"| {' | '.join(cells)} |")
    return f"## {result.part} ({result.seconds:.1f} s)\n\n" + "\n".join(lines)
