from __future__ import annotations

from pathlib import Path

from benchmarks.bench_history import COMPARED, BenchHistory
from benchmarks.table import RatioRow


def row(ratio: float | None) -> RatioRow:
    return RatioRow("rank", 1.0, "ms", ratio=ratio)


def test_a_ratio_that_left_the_median_of_the_last_runs_is_said(tmp_path: Path) -> None:
    history = BenchHistory(tmp_path / "new" / "history.jsonl")
    assert history.add([row(9.0)], True) == []
    for _ in range(COMPARED):
        history.add([row(1.0), row(None)], True)
    assert history.add([row(1.1)], True) == []
    assert history.add([row(1.4)], True) == ["rank: 1.40, 1.00 in the median of the last 5 runs"]


def test_runs_of_the_other_implementation_are_no_comparison(tmp_path: Path) -> None:
    history = BenchHistory(tmp_path / "history.jsonl")
    history.add([row(1.0)], True)
    assert history.add([row(3.0)], False) == []
