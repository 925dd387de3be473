"""Each call is answered once, in order, together with those that arrived meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from penchant.server.triton.deferred_queue import DeferredQueue


def test_what_gathers_while_it_works_is_answered_together() -> None:
    working, go, batches = threading.Event(), threading.Event(), []

    def answer(calls: Sequence[int]) -> None:
        batches.append(list(calls))
        working.set()
        go.wait(10)

    lane = DeferredQueue(answer, most=3)
    lane.put(0)
    assert working.wait(10)
    for call in range(1, 6):
        lane.put(call)
    go.set()
    lane.close()
    assert batches == [[0], [1, 2, 3], [4, 5]]


@given(calls=st.lists(st.integers()), most=st.integers(1, 4))
def test_closing_waits_until_each_call_was_answered_once(calls: list[int], most: int) -> None:
    answered: list[int] = []
    lane = DeferredQueue(answered.extend, most)
    for call in calls:
        lane.put(call)
    lane.close()
    assert answered == calls
