"""The search finds the capacity of a server whose capacity is known, stops, and goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from penchant.capacity.capacity_report import sentences, table
from penchant.capacity.capacity_request import CapacityRequest
from penchant.capacity.capacity_search import CapacityFound, found_so_far, search_capacity
from penchant.capacity.measured_level import MeasuredLevel
from penchant.capacity.saturation import bottleneck
from penchant.domain.errors import ConfigError
from tests.support.command import run
from tests.support.slow_triton import SlowTriton, slow_triton

SERVICE_S = 0.005


@pytest.fixture
def triton() -> Iterator[SlowTriton]:
    with slow_triton(SERVICE_S) as stand_in:
        yield stand_in


def request_for(triton: SlowTriton, output: Path) -> CapacityRequest:
    return CapacityRequest(
        target=triton.target,
        output=output,
        feedback_share=0.5,
        failed=0.05,
        warm_up=0.1,
        level=0.4,
        precision=0.6,
        lowest=20.0,
        highest=2000.0,
        most_levels=10,
        made_up_users=100,
    )


def found_in(output: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((output / "capacity.json").read_text())
    return content


def test_the_capacity_of_a_known_server_is_found_across_an_interrupt(
    triton: SlowTriton, tmp_path: Path
) -> None:
    request = request_for(triton, tmp_path)

    def stop(level: MeasuredLevel, interval: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search_capacity(request, stop)
    assert found_in(tmp_path)["finished"] is False
    # What it made up is gone again, also after an interrupt.
    assert triton.asked.count("forget_user") == 100
    with pytest.raises(ConfigError, match="unfinished search with another --p99-ms"):
        search_capacity(replace(request, p99_ms=20.0))
    found = search_capacity(request)
    # A server that takes 5 ms a call bears less than 200 calls a second; how many fewer depends on
    # what else this machine does.
    assert found.interval.middle < 200, found.levels
    assert found.interval.low <= found.interval.middle <= found.interval.high
    content = found_in(tmp_path)
    assert content["finished"] is True
    assert len(found.levels) == len(content["levels"])  # type: ignore[arg-type]  # A list, by JSON.
    assert found_so_far(request, found.levels).interval == found.interval


def test_the_command_draws_the_knee_and_says_what_next(triton: SlowTriton, tmp_path: Path) -> None:
    options = ["--target", triton.target, "--warm-up", "0.1", "--level", "0.3", "--lowest", "5"]
    options += ["--most-levels", "3", "--highest", "50", "--output", str(tmp_path / "knee")]
    ran = run(["capacity", *options])
    assert ran.exit_code == 0, ran.output
    assert (tmp_path / "knee/capacity.png").read_bytes().startswith(b"\x89PNG")
    for text in ("calls per second", "Numbers:", "Next:", "penchant serve --help", "at most 70 %"):
        assert text in ran.stdout, ran.stdout
    assert set(triton.asked) == {"rank"}  # On a running server it writes nothing unless told to.


def test_a_server_that_bears_nothing_is_said(triton: SlowTriton, tmp_path: Path) -> None:
    triton.refuse = True
    options = ["--target", triton.target, "--warm-up", "0.1", "--level", "0.4", "--lowest", "100"]
    options += ["--most-levels", "12", "--highest", "400", "--output", str(tmp_path)]
    ran = run(["capacity", *options])
    assert ran.exit_code == 1, ran.output
    assert "Not even 100 calls per second keep this" in ran.stdout


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--lowest", "10", "--highest", "5"], "lowest: got 10, expected less than --highest 5"),
        (["--feedback-share", "120%"], "feedback-share: got 1.2, expected a share"),
        (["--target", "127.0.0.1:1"], "no good answer from the server at 127.0.0.1:1"),
        (["--users", "/etc/hostname.none"], "No such file"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(
    options: list[str], text: str, tmp_path: Path
) -> None:
    target = [] if "--target" in options else ["--target", "127.0.0.1:1"]
    ran = run(["capacity", *target, *options, "--output", str(tmp_path)])
    assert ran.exit_code == 1
    assert text in ran.stderr, ran.stderr
    assert len(ran.stderr.splitlines()) == 1


def level(rate: float, *, holds: bool, **cores: float) -> MeasuredLevel:
    return MeasuredLevel(
        rate=rate,
        calls=1000,
        answered_per_s=rate,
        p50_ms=2.0,
        p99_ms=9.0 if holds else 400.0,
        longest_ms=500.0,
        p99_by_verb_ms={"rank": 9.0},
        slow_share=0.0 if holds else 0.4,
        failed_share=0.0,
        errors={},
        late_p99_ms=1.0,
        chance=0.99 if holds else 0.01,
        cores=cores,
        sender_cores=0.3,
        machine_cores=1.9,
        machine_has=8,
    )


def test_what_is_full_is_named() -> None:
    service = CapacityRequest().service
    busy = {"tritonserver": 0.4, "penchant_feedback_0_0": 0.5, "penchant_rank_0_0": 0.5}

    def full(**cores: float) -> str:
        levels = [level(100, holds=True, **busy), level(200, holds=False, **(busy | cores))]
        found = bottleneck(levels, 150, service)
        assert found is not None
        return found.what

    assert full(penchant_feedback_0_0=0.97).startswith("The one process that writes is full")
    assert full(penchant_rank_0_0=0.97).startswith("The processes that rank are full")
    assert full(penchant_rank_0_0=0.97, penchant_rank_0_1=0.2).startswith("No process is full")
    assert full().startswith("No process is full: penchant_feedback_0_0 is the busiest")
    late = replace(level(200, holds=False, **busy), late_p99_ms=40.0)
    found = bottleneck([late], 150, service)
    assert found is not None
    assert found.what.startswith("The senders themselves")
    packed = replace(level(200, holds=False, **busy), machine_cores=7.9)
    found = bottleneck([packed], 150, service)
    assert found is not None
    assert found.what.startswith("The machine")
    assert bottleneck([], 150, service) is None


def test_the_table_is_by_rate_and_names_the_others_share() -> None:
    request = CapacityRequest(lowest=10, highest=1000)
    levels = [level(300, holds=False, tritonserver=0.5), level(100, holds=True, tritonserver=0.5)]
    found: CapacityFound = found_so_far(request, levels, "a server")
    rows = table(found).rows
    assert [row[0] for row in rows] == ["100", "300"]
    assert rows[0][-2:] == ["1.10", "holds 99%"]
    assert sentences(found)[0].startswith("Capacity: ")
    assert "not the same" not in " ".join(sentences(found))
    odd = [*levels, level(400, holds=True, tritonserver=0.5)]
    text = " ".join(sentences(found_so_far(request, odd, "a server")))
    assert "300/s failed and 400/s held" in text
