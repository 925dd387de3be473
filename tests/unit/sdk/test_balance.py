"""The choice of an endpoint: a call that failed at one goes to another that can answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from penchant_sdk._balance import SLOW_BY_S, Balance
from penchant_sdk.errors import Unavailable


def seen(latencies_s: list[float]) -> Balance:
    """A balance that has seen ten rankings of each endpoint."""
    balance = Balance([f"e{place}:8001" for place in range(len(latencies_s))], lambda: 0.0)
    connected = [True] * len(latencies_s)
    for place, latency_s in enumerate(latencies_s):
        others = [other for other in range(len(latencies_s)) if other != place]
        for _ in range(10):
            assert balance.pick(connected, others) == place
            balance.answered(place, latency_s)
    return balance


def test_a_call_that_failed_at_the_fast_endpoint_goes_to_the_slow_one() -> None:
    """The fast one has just died: its connection and its breaker do not know yet."""
    balance = seen([0.001, 10 * SLOW_BY_S])
    assert balance.pick([True, True]) == 0
    balance.failed(0, Unavailable("died"))
    assert balance.pick([True, True], [0]) == 1


@given(st.lists(st.floats(0.0005, 0.5), min_size=2, max_size=5))
def test_no_call_comes_back_to_an_endpoint_before_it_has_tried_all(
    latencies_s: list[float],
) -> None:
    balance, tried = seen(latencies_s), list[int]()
    connected = [True] * len(latencies_s)
    for _ in latencies_s:
        place = balance.pick(connected, tried)
        assert place not in tried
        balance.failed(place, Unavailable("died"))
        tried.append(place)
    assert sorted(tried) == list(range(len(latencies_s)))
