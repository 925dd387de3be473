"""The verdict of a load test: thresholds, the report, and its file."""

from __future__ import annotations

import io
import json
from pathlib import Path

from rich.console import Console

from loadtest.load_report import LoadReport, Thresholds, broken
from loadtest.results import Recorder, Results, read_recorded


def recorder_of(*, rank_ms: float = 5.0, failures: int = 0) -> Recorder:
    """100 rankings and 100 feedbacks."""
    recorder = Recorder()
    for number in range(100):
        recorder.record("rank", rank_ms, 1.0, "Overloaded: queue full" if number < failures else "")
        recorder.record("feedback", 8.0, 2.0)
    return recorder


def recorded(*, rank_ms: float = 5.0, failures: int = 0) -> Results:
    """100 rankings and 100 feedbacks in 2 seconds."""
    return recorder_of(rank_ms=rank_ms, failures=failures).results(2.0)


def test_a_run_that_keeps_its_thresholds_breaks_none() -> None:
    assert broken(recorded(), 200.0, Thresholds()) == []


def test_one_failure_breaks_the_run_and_is_named() -> None:
    (text,) = broken(recorded(failures=1), 200.0, Thresholds())
    assert text == "failures: got 1 (Overloaded: queue full), expected at most 0"


def test_a_slow_verb_breaks_the_run() -> None:
    (text,) = broken(recorded(rank_ms=120.0), 200.0, Thresholds(p99_ms={"rank": 100.0}))
    assert text == "rank: p99 of 120.0 ms, expected at most 100 ms"


def test_a_verb_without_requests_breaks_the_run() -> None:
    assert broken(recorded(), 200.0, Thresholds(p99_ms={"search": 1.0})) == [
        "search: got no request, expected some"
    ]


def test_arrivals_that_were_never_sent_break_the_run() -> None:
    (text,) = broken(recorded(), 300.0, Thresholds())
    assert text == "arrivals: 66.7% were sent, expected at least 99%"


def test_latencies_count_from_when_a_request_was_due() -> None:
    verb = recorded(rank_ms=50.0).verbs["rank"]
    assert (verb.p50, verb.p99, verb.longest) == (50.0, 50.0, 50.0)
    assert (verb.sent_p50, verb.sent_p99) == (1.0, 1.0)


def test_the_rate_leaves_failures_out() -> None:
    results = recorded(failures=50)
    assert (results.requests, results.failures, results.rate) == (200, 50, 75.0)


def test_what_several_processes_recorded_is_one_run(tmp_path: Path) -> None:
    paths = [tmp_path / "results-0.json", tmp_path / "results-1.json"]
    recorder_of(rank_ms=5.0, failures=2).write(paths[0])
    recorder_of(rank_ms=50.0, failures=1).write(paths[1])
    both = read_recorded(paths, 2.0)
    assert (both.requests, both.failures, both.errors) == (400, 3, {"Overloaded: queue full": 3})
    rank = both.verbs["rank"]
    assert (rank.p50, rank.p99) == (5.0, 50.0)
    assert read_recorded(paths[:1], 2.0) == recorded(failures=2)


def test_the_report_says_whether_it_passed(tmp_path: Path) -> None:
    for texts in ([], ["rank: too slow"]):
        LoadReport("shop, steady", 1000.0, 500.0, 64, recorded(), texts).write(
            tmp_path / "report.json"
        )
        content = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
        assert content["passed"] is not bool(texts)
        assert content["results"]["verbs"]["rank"]["p99"] == 5.0


def test_the_summary_names_broken_thresholds() -> None:
    out = io.StringIO()
    report = LoadReport("shop, steady", 1000.0, 500.0, 64, recorded(), ["rank: too slow"])
    report.show(Console(file=out, width=160))
    assert out.getvalue().startswith("shop, steady: 500 arrivals per second (capacity 1,000/s)")
    assert "Broken: rank: too slow" in out.getvalue()
