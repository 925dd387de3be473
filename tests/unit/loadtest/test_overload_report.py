"""The verdict of the shape `overload`."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path

from rich.console import Console

from loadtest.overload_report import OverloadFigures, OverloadReport
from loadtest.resources import ResourceSample, trends

GOOD = OverloadFigures(
    kind="rank with query",
    peak_per_s=100.0,
    offered_per_s=300.0,
    burst_goodput_per_s=95.0,
    calm_success=1.0,
    recovery_s=0.5,
    small_p99_ms={"rank": (12.0, 30.0)},
    small_success={"rank": 1.0},
    late_ms=5.0,
    errors={"Overloaded": 205},
)


def test_a_server_that_sheds_what_it_cannot_do_misses_no_goal() -> None:
    assert GOOD.missed() == []


def test_each_goal_that_is_missed_is_named() -> None:
    bad = dataclasses.replace(
        GOOD, burst_goodput_per_s=40.0, recovery_s=8.0, small_p99_ms={"rank": (12.0, 60.0)}
    )
    assert bad.missed() == [
        "rank with query: goodput of 0.40 of the peak, expected at least 0.9",
        "rank with query: recovery after 8.0 s, expected at most 2 s",
        "rank with query: p99 of others' rank 5.0 times the usual, expected at most 3 times",
    ]


def test_a_load_that_was_less_than_stated_is_not_judged(tmp_path: Path) -> None:
    late = dataclasses.replace(GOOD, burst_goodput_per_s=40.0, late_ms=900.0)
    report = OverloadReport([late], [])
    assert report.broken == []
    out = io.StringIO()
    report.show(Console(file=out, width=150))
    assert "Not judged: rank with query: calls were sent up to 900 ms late" in out.getvalue()
    report.write(tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text())["passed"]


def test_a_leak_shows_as_an_end_above_the_middle() -> None:
    samples = [
        ResourceSample(float(at), {"a": 100.0 + at}, {"a": 10}, shared_mib=8.0) for at in range(30)
    ]
    shared, memory, descriptors = trends(samples)
    assert (shared.middle, shared.last) == (8.0, 8.0)
    assert memory.last > memory.middle > memory.first
    assert descriptors.highest == 10
