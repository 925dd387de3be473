"""Open-loop load: arrivals do not wait for answers, and no stall hides."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from penchant.capacity import open_loop
from penchant.capacity.load_calls import FEEDBACK, RANK, CallMix, bodies
from penchant.capacity.open_loop import Address, LoadLevel, Senders, due_times
from tests.support.slow_triton import SlowTriton, slow_triton

MIX = CallMix([f"user-{number}" for number in range(50)], ["a", "b", "c"], 0.3)


@pytest.fixture(scope="module")
def triton() -> Iterator[SlowTriton]:
    with slow_triton(0.0005) as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def senders(triton: SlowTriton) -> Iterator[Senders]:
    with Senders(Address(triton.target), MIX, 2) as running:
        yield running


def test_arrivals_are_a_poisson_process() -> None:
    times = due_times(200.0, 50.0, random.Random(1))
    assert times == sorted(times)
    assert len(times) == pytest.approx(10_000, rel=0.05)
    counts = [sum(at <= time < at + 1 for time in times) for at in range(50)]
    mean = sum(counts) / 50
    variance = sum((count - mean) ** 2 for count in counts) / 49
    assert 0.5 < variance / mean < 1.7  # 1, but for the noise of 50 counts.


def test_calls_are_seeded_and_every_event_is_new() -> None:
    calls = bodies(MIX, 500, "1")
    assert [verb for verb, _ in calls] == [verb for verb, _ in bodies(MIX, 500, "1")]
    events = [body for verb, body in calls if verb == FEEDBACK]
    assert len(set(events)) == len(events)
    assert 100 < len(events) < 200
    assert {verb for verb, _ in calls} == {RANK, FEEDBACK}


def test_a_stall_shows_in_every_call_that_was_due_in_it(
    triton: SlowTriton, senders: Senders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client in a closed loop would send no call into the stall, and so report one slow call."""
    # So that a busy machine has the stall set before it begins.
    monkeypatch.setattr(open_loop, "_HEAD_START_S", 3.0)
    level = LoadLevel(rate=150.0, warm_up_s=0.2, measured_s=1.2, deadline_s=60.0)

    def stall(start: float) -> None:
        triton.stall_at, triton.stall_s = start + 0.5, 0.5

    sent = senders.send(level, "stall", stall)
    inside = [
        (due, took) for due, took in zip(sent.due_s, sent.took_ms, strict=True) if 0.52 < due < 0.95
    ]
    assert len(inside) > 30
    for due, took_ms in inside:
        assert took_ms >= (1.0 - due) * 1e3 - 20, due
    assert not any(sent.failed)


def test_refusals_count_by_their_reason(triton: SlowTriton, senders: Senders) -> None:
    triton.refuse = True
    try:
        level = LoadLevel(rate=100.0, warm_up_s=0.1, measured_s=0.4, deadline_s=60.0)
        sent = senders.send(level, "refused", lambda start: None)
    finally:
        triton.refuse = False
    assert all(sent.failed)
    assert set(sent.errors) == {"Overloaded"}
    assert sent.errors["Overloaded"] == len(sent.failed)
