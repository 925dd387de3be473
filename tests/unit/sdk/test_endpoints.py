"""A client of several endpoints: what it does when they come, go, fail and are slow."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from grpc import StatusCode

from penchant_sdk import (
    AsyncPenchant,
    DeadlineExceeded,
    Event,
    InvalidRequest,
    Overloaded,
    Penchant,
    PenchantError,
    StateBehind,
    StoreUnavailable,
    Unavailable,
)
from penchant_sdk._retry_budget import RESERVE
from tests.support.stub_endpoint import StubEndpoint

PATIENCE_S = 60.0
"""For what must succeed, on a busy machine as well."""
UNAVAILABLE = StatusCode.UNAVAILABLE


@pytest.fixture
def versions() -> Counter[str]:
    """State versions of all endpoints: they share a store."""
    return Counter()


@pytest.fixture
def a(versions: Counter[str]) -> Iterator[StubEndpoint]:
    with StubEndpoint(versions=versions) as endpoint:
        yield endpoint


@pytest.fixture
def b(versions: Counter[str]) -> Iterator[StubEndpoint]:
    with StubEndpoint(versions=versions) as endpoint:
        yield endpoint


@pytest.fixture
def penchant(a: StubEndpoint, b: StubEndpoint) -> Iterator[Penchant]:
    with Penchant(f"{a.target},{b.target}", timeout_s=PATIENCE_S) as penchant:
        until_both_answer(penchant, a, b)
        yield penchant


def until_both_answer(penchant: Penchant, *endpoints: StubEndpoint) -> None:
    """Makes calls until each of the endpoints has had one; then none has had any."""
    end_s = time.monotonic() + PATIENCE_S
    for endpoint in endpoints:
        endpoint.calls = 0
    while not all(endpoint.calls for endpoint in endpoints):
        penchant.rank("u")
        assert time.monotonic() < end_s
    for endpoint in endpoints:
        endpoint.calls = 0


@pytest.fixture
def none_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may make an endpoint seem slow, which then gets one call a second."""
    monkeypatch.setattr("penchant_sdk._balance.SLOW_BY_S", PATIENCE_S)


@pytest.mark.usefixtures("none_is_slow")
@pytest.mark.parametrize("as_sequence", [False, True])
def test_calls_are_balanced_over_the_endpoints(
    a: StubEndpoint, b: StubEndpoint, as_sequence: bool
) -> None:
    target: str | list[str] = [a.target, b.target]
    with Penchant(target if as_sequence else ",".join(target), timeout_s=PATIENCE_S) as penchant:
        until_both_answer(penchant, a, b)
        for _ in range(40):
            penchant.rank("u")
        assert penchant.ready()
    assert abs(a.calls - b.calls) <= 2


@pytest.mark.usefixtures("none_is_slow")
def test_calls_are_balanced_over_the_endpoints_in_asyncio(a: StubEndpoint, b: StubEndpoint) -> None:
    async def main() -> None:
        async with AsyncPenchant([a.target, b.target], timeout_s=PATIENCE_S) as penchant:
            while not (a.calls and b.calls):
                await penchant.rank("u")
            a.calls = b.calls = 0
            await asyncio.gather(*(penchant.rank("u") for _ in range(40)))
            assert await penchant.ready()

    asyncio.run(main())
    assert abs(a.calls - b.calls) <= 4


def test_addresses_of_one_target_are_all_used(a: StubEndpoint, b: StubEndpoint) -> None:
    with Penchant(f"ipv4:{a.target},{b.target}", timeout_s=PATIENCE_S) as penchant:
        until_both_answer(penchant, a, b)


def test_an_endpoint_that_goes_away_costs_no_call_and_is_used_again(
    a: StubEndpoint, b: StubEndpoint, penchant: Penchant
) -> None:
    stop = threading.Event()

    def rank() -> tuple[int, float]:
        calls, longest_s = 0, 0.0
        while not stop.is_set():
            started = time.monotonic()
            penchant.rank("u")
            longest_s = max(longest_s, time.monotonic() - started)
            calls += 1
        return calls, longest_s

    with ThreadPoolExecutor(4) as threads:
        callers = [threads.submit(rank) for _ in range(4)]
        for _ in range(2):
            a.stop()
            b.calls = 0
            until(lambda: b.calls > 20)
            a.calls = 0
            a.start()
            until(lambda: a.calls > 20)
        stop.set()
        found = [caller.result() for caller in callers]
    assert all(calls > 0 for calls, _ in found)
    assert max(longest_s for _, longest_s in found) < PATIENCE_S / 2


def until(condition: object) -> None:
    assert callable(condition)
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.005)


def test_an_endpoint_that_was_never_there_costs_no_call(b: StubEndpoint) -> None:
    with Penchant(["127.0.0.1:1", b.target], timeout_s=PATIENCE_S, max_attempts=1) as penchant:
        for _ in range(20):
            penchant.rank("u")
        assert penchant.ready()


def test_without_any_endpoint_the_error_comes_at_once_and_names_one() -> None:
    with Penchant(["127.0.0.1:1", "127.0.0.1:2"], timeout_s=PATIENCE_S) as penchant:
        started = time.monotonic()
        with pytest.raises(Unavailable, match=r"endpoint 127\.0\.0\.1:[12]\)") as caught:
            penchant.rank("u")
        assert not penchant.ready()
    assert time.monotonic() - started < PATIENCE_S / 2
    assert caught.value.endpoint in ("127.0.0.1:1", "127.0.0.1:2")


@pytest.mark.usefixtures("none_is_slow")
def test_the_log_and_the_error_name_the_endpoint(
    a: StubEndpoint, b: StubEndpoint, penchant: Penchant, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "penchant_sdk"):
        penchant.rank("u")
        penchant.rank("u")
    text = caplog.text
    assert f"rank: {a.target} answered in" in text
    assert f"rank: {b.target} answered in" in text
    with pytest.raises(InvalidRequest, match=r"endpoint 127\.0\.0\.1:\d+\)"):
        penchant.rank("u", k=1001)


def test_a_user_sees_their_own_feedback_whichever_endpoint_answers(
    versions: Counter[str], penchant: Penchant
) -> None:
    for n in range(1, 51):
        ack = penchant.feedback([Event("u", "1", "like")])
        assert penchant.rank("u", min_state_version=ack.state_version("u")).state_version == n


def test_an_endpoint_that_is_behind_leaves_the_ranking_to_another(b: StubEndpoint) -> None:
    with StubEndpoint() as behind:
        b.versions["u"] = 3
        with Penchant([behind.target, b.target], timeout_s=PATIENCE_S) as penchant:
            until_both_answer(penchant, behind, b)
            for _ in range(10):
                assert penchant.rank("u", min_state_version=3).state_version == 3
        assert behind.calls
        with (
            Penchant([behind.target], timeout_s=PATIENCE_S, max_attempts=2) as penchant,
            pytest.raises(StateBehind),
        ):
            penchant.rank("u", min_state_version=3)


@pytest.mark.usefixtures("none_is_slow")
def test_a_failing_endpoint_rests_and_one_call_tries_it_again(
    a: StubEndpoint, b: StubEndpoint, penchant: Penchant, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "penchant_sdk")  # The command line silences it.
    a.failure = UNAVAILABLE, "[StoreUnavailable] the disk is full"
    for _ in range(60):
        penchant.rank("u")
    rests = caplog.text.count(f"endpoint {a.target}: rests for")
    assert rests
    assert a.calls <= 5 + rests  # Five failures in a row, and on a slow machine a probe a rest.
    a.failure = None
    a.calls = 0
    end_s = time.monotonic() + PATIENCE_S
    while a.calls < 5:
        penchant.rank("u")
        assert time.monotonic() < end_s


def test_a_call_that_a_stopping_server_gives_up_goes_to_another(
    a: StubEndpoint, b: StubEndpoint, penchant: Penchant
) -> None:
    a.failure = StatusCode.CANCELLED, "it stops"
    for _ in range(6):
        penchant.rank("u")
    assert a.calls
    assert b.calls == 6


def test_an_endpoint_that_hangs_costs_few_calls_their_deadline(
    a: StubEndpoint, b: StubEndpoint, penchant: Penchant, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "penchant_sdk")
    a.delay_s = PATIENCE_S
    late = 0
    for _ in range(300):
        try:
            penchant.rank("u", timeout_s=1.0)
        except DeadlineExceeded as error:
            late += error.endpoint == a.target  # A busy machine may hold up the other one too.
    rests = caplog.text.count(f"endpoint {a.target}: rests for")
    assert 1 <= late <= 5 + rests  # Five failures in a row, and on a slow machine a probe a rest.


def test_refusals_of_bad_calls_open_no_breaker(
    a: StubEndpoint, b: StubEndpoint, penchant: Penchant
) -> None:
    for _ in range(40):
        with pytest.raises(InvalidRequest):
            penchant.rank("u", k=1001)
    assert abs(a.calls - b.calls) <= 2


def test_the_last_endpoint_is_never_taken_away(
    a: StubEndpoint, b: StubEndpoint, penchant: Penchant, caplog: pytest.LogCaptureFixture
) -> None:
    a.failure = b.failure = UNAVAILABLE, "[StoreUnavailable] away"
    for _ in range(40):
        with pytest.raises(StoreUnavailable):
            penchant.rank("u")
    assert len([one for one in caplog.messages if "rests for" in one]) < 20
    b.failure = None
    with suppress(StoreUnavailable):  # Of the other one: no retry may be left.
        penchant.rank("u")
    penchant.rank("u")


@pytest.mark.parametrize("endpoints", [1, 2])
def test_retries_do_not_multiply_an_overload(
    a: StubEndpoint, b: StubEndpoint, endpoints: int
) -> None:
    a.failure = b.failure = UNAVAILABLE, "[Overloaded] full; retry after 1 ms"
    calls = 100
    targets = [a.target, b.target][:endpoints]
    started = time.monotonic()
    with Penchant(targets, timeout_s=PATIENCE_S) as penchant:
        for _ in range(calls):
            with pytest.raises(Overloaded) as refused:
                penchant.rank("u")
        assert "the client's retry budget is used up" in str(refused.value)
    most = calls * 1.1 + RESERVE + (time.monotonic() - started) + 1
    assert calls < a.calls + b.calls <= most


def test_an_overloaded_endpoint_is_left_alone_until_it_has_time(
    a: StubEndpoint, b: StubEndpoint, penchant: Penchant
) -> None:
    a.failure = UNAVAILABLE, "[Overloaded] full; retry after 600000 ms"
    for _ in range(20):
        penchant.rank("u")
    assert a.calls <= 1
    b.failure = UNAVAILABLE, "[Overloaded] full; retry after 300000 ms"
    with pytest.raises(Overloaded):  # At once: both deadlines are later than the call's.
        penchant.rank("u")


def test_a_hedged_ranking_takes_the_first_answer(a: StubEndpoint, b: StubEndpoint) -> None:
    with Penchant([a.target, b.target], timeout_s=PATIENCE_S, hedge_after_ms=20) as penchant:
        until_both_answer(penchant, a, b)
        a.delay_s = PATIENCE_S
        started = time.monotonic()
        for _ in range(10):
            penchant.rank("u")
        assert time.monotonic() - started < a.delay_s / 2
        assert a.calls >= 1
        assert b.calls >= 10


def test_a_hedged_ranking_takes_the_first_answer_in_asyncio(
    a: StubEndpoint, b: StubEndpoint
) -> None:
    async def main() -> None:
        async with AsyncPenchant(
            [a.target, b.target], timeout_s=PATIENCE_S, hedge_after_ms=20
        ) as penchant:
            while not (a.calls and b.calls):
                await penchant.rank("u")
            a.delay_s = PATIENCE_S
            started = time.monotonic()
            await asyncio.gather(*(penchant.rank("u") for _ in range(10)))
            assert time.monotonic() - started < a.delay_s / 2

    asyncio.run(main())


def test_feedback_is_never_sent_twice_at_a_time(a: StubEndpoint, b: StubEndpoint) -> None:
    a.delay_s = b.delay_s = 0.1
    with Penchant([a.target, b.target], timeout_s=PATIENCE_S, hedge_after_ms=1) as penchant:
        for _ in range(4):
            penchant.feedback([Event("u", "1", "like")])
    assert a.calls + b.calls == 4


def test_hedges_keep_to_the_budget(a: StubEndpoint, b: StubEndpoint) -> None:
    a.delay_s = b.delay_s = 0.02
    with Penchant([a.target, b.target], timeout_s=PATIENCE_S, hedge_after_ms=1) as penchant:
        started = time.monotonic()
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(penchant.rank, ["u"] * 200))
        assert a.calls + b.calls <= 200 * 1.1 + RESERVE + (time.monotonic() - started) + 1
    assert a.calls + b.calls > 200


def test_a_learnt_delay_hedges_few_rankings(a: StubEndpoint, b: StubEndpoint) -> None:
    a.delay_s = b.delay_s = 0.005
    with Penchant([a.target, b.target], timeout_s=PATIENCE_S, hedge_after_ms="p95") as penchant:
        until_both_answer(penchant, a, b)
        for _ in range(100):
            penchant.rank("u")
        a.delay_s = PATIENCE_S
        started = time.monotonic()
        penchant.rank("u")
        penchant.rank("u")
        assert time.monotonic() - started < a.delay_s / 2


def test_a_hedged_ranking_that_fails_at_both_says_so(a: StubEndpoint, b: StubEndpoint) -> None:
    a.delay_s = b.delay_s = 0.05
    a.failure = b.failure = StatusCode.INTERNAL, "[InternalError] internal error"
    with (
        Penchant([a.target, b.target], timeout_s=PATIENCE_S, hedge_after_ms=5) as penchant,
        pytest.raises(PenchantError, match="internal error"),
    ):
        penchant.rank("u")


def test_a_hedged_ranking_keeps_its_deadline(a: StubEndpoint, b: StubEndpoint) -> None:
    a.delay_s = b.delay_s = PATIENCE_S
    with (
        Penchant([a.target, b.target], hedge_after_ms=5) as penchant,
        pytest.raises(DeadlineExceeded),
    ):
        penchant.rank("u", timeout_s=0.2)


@pytest.mark.parametrize("endpoints", [1, 2])
def test_a_connection_of_its_age_is_replaced_without_a_failed_call(
    a: StubEndpoint, b: StubEndpoint, endpoints: int
) -> None:
    targets = [a.target, b.target][:endpoints]
    a.delay_s = 0.02
    with (
        Penchant(
            targets, timeout_s=PATIENCE_S, max_attempts=1, max_connection_age_s=0.2
        ) as penchant,
        ThreadPoolExecutor(4) as threads,
    ):
        while len(set(a.peers)) < 3:
            list(threads.map(penchant.rank, ["u"] * 8))


def test_a_connection_of_its_age_is_replaced_in_asyncio(a: StubEndpoint) -> None:
    async def main() -> None:
        async with AsyncPenchant(
            a.target, timeout_s=PATIENCE_S, max_attempts=1, max_connection_age_s=0.1
        ) as penchant:
            while len(set(a.peers)) < 3:
                await asyncio.gather(*(penchant.rank("u") for _ in range(8)))

    asyncio.run(main())


def test_without_an_age_a_connection_stays(a: StubEndpoint) -> None:
    with Penchant(a.target, timeout_s=PATIENCE_S) as penchant:
        for _ in range(20):
            penchant.rank("u")
    assert len(set(a.peers)) == 1


@pytest.mark.parametrize(
    "target", ["", " ", ",", "a:1,", ",a:1", "a:1,,b:1", [], [""], ["a:1", ""], ["a:1", "a:1"], 5]
)
def test_a_target_that_names_no_endpoint_is_refused_by_name(target: object) -> None:
    with pytest.raises(InvalidRequest, match=r"^target: got .*, expected"):
        Penchant(target)  # type: ignore[arg-type]  # What is refused here.


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("retry_share", [-0.1, float("nan"), float("inf"), "0.1", None, True]),
        ("hedge_after_ms", [0, -1, "p99", True, float("nan"), float("inf"), [5]]),
        ("max_connection_age_s", [0, -1, "60", True, float("nan"), float("inf")]),
        ("spool_bytes", [0, 4095, 1.5, "4096", None, True]),
        ("spool", [5, b"spool", ["a"]]),
    ],
)
def test_a_setting_out_of_its_range_is_refused_by_name(
    name: str, wrong: list[object], tmp_path: object
) -> None:
    for value in wrong:
        others = {"spool": f"{tmp_path}/spool"} if name == "spool_bytes" else {}
        with pytest.raises(InvalidRequest, match=f"^{name}: got .*, expected"):
            Penchant("a:8001,b:8001", **(others | {name: value}))  # type: ignore[arg-type]  # Wrong.
