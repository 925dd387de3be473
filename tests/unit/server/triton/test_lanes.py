"""What waits is bounded by the time of its callers, and dropped unworked when nobody waits."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import Overloaded
from penchant.server.dispatch import Answer, Lane, ParsedCall
from penchant.server.triton.backlog import Backlog
from penchant.server.triton.batch_lane import BatchLane
from penchant.server.triton.bulk_lane import BulkLane
from penchant.server.triton.process_turn import ProcessTurn
from penchant.server.triton.waiting_call import WaitingCall
from penchant_proto.v1.service_pb2 import Reply
from penchant_sdk.errors import Overloaded as ClientOverloaded
from tests.support.fake_pb_utils import Sender


def waiting(number: int = 0, *, timeout_s: float = 0.0, cost: float = 1.0) -> WaitingCall:
    return WaitingCall(Sender(), ParsedCall("rank", number, Lane.BULK, cost, timeout_s, False))


class Busy:
    """A batch lane that is answering its first call until it is let go."""

    def __init__(self, most: int = 64) -> None:
        self.batches: list[list[int]] = []
        self.dropped: list[int] = []
        self.working, self.go = threading.Event(), threading.Event()
        self.lane = BatchLane(self._answer, lambda one: self.dropped.append(one.call.message), most)
        assert self.lane.put(waiting(0)) is None
        assert self.working.wait(60)

    def _answer(self, calls: Sequence[WaitingCall]) -> None:
        self.batches.append([one.call.message for one in calls])
        self.working.set()
        self.go.wait(60)

    def close(self) -> None:
        self.go.set()
        self.lane.close()


def test_what_gathers_while_it_works_is_answered_together() -> None:
    busy = Busy(most=3)
    for number in range(1, 6):
        assert busy.lane.put(waiting(number)) is None
    busy.close()
    assert busy.batches == [[0], [1, 2, 3], [4, 5]]


@given(calls=st.lists(st.integers()), most=st.integers(1, 4))
def test_closing_waits_until_each_call_was_answered_once(calls: list[int], most: int) -> None:
    answered: list[int] = []
    lane = BatchLane(
        lambda some: answered.extend(one.call.message for one in some), lambda one: None, most
    )
    for call in calls:
        assert lane.put(waiting(call)) is None
    lane.close()
    assert answered == calls


def test_a_lane_outlives_a_fault_of_what_answers(caplog: pytest.LogCaptureFixture) -> None:
    answered: list[int] = []

    def answer(calls: Sequence[WaitingCall]) -> None:
        if calls[0].call.message == 1:
            raise RuntimeError("a fault")
        answered.extend(one.call.message for one in calls)

    lane = BatchLane(answer, lambda one: None, most=1)
    for number in (1, 2):
        assert lane.put(waiting(number)) is None
    lane.close()
    assert answered == [2]
    assert lane.calls == 0
    assert "a lane's work failed" in caplog.text


def test_a_call_whose_caller_is_gone_is_dropped_before_any_work() -> None:
    busy = Busy()
    gone, late, patient = waiting(1), waiting(2, timeout_s=0.001), waiting(3, timeout_s=60.0)
    gone.sender.cancelled = True
    for one in (gone, late, patient):
        assert busy.lane.put(one) is None
    threading.Event().wait(0.1)  # Their callers have given up long before their turn.
    busy.close()
    assert busy.batches == [[0], [3]]
    assert sorted(busy.dropped) == [1, 2]


def test_a_call_that_would_come_too_late_is_refused_at_once_with_a_hint() -> None:
    backlog = Backlog()
    first = waiting(timeout_s=1.0)
    assert backlog.admit(first) is None
    backlog.done(1, 1.0, seconds=0.1)
    admitted = 0
    while (refusal := backlog.admit(waiting(timeout_s=1.0))) is None:
        admitted += 1
    assert 5 <= admitted <= 7  # Of 0.1 s each: what is expected within 0.7 of the second.
    assert isinstance(refusal, Overloaded)
    assert ClientOverloaded(str(refusal)).retry_after_ms == round(admitted * 100)
    assert backlog.admit(waiting(timeout_s=30.0)) is None
    backlog.done(admitted + 1, admitted + 1.0)
    assert backlog.admit(waiting(timeout_s=0.01)) is None  # An empty lane refuses nobody.


def test_what_waits_is_bounded_even_before_anything_is_known() -> None:
    backlog = Backlog(most=10)
    refusals = [backlog.admit(waiting()) for _ in range(100)]
    assert sum(refusal is None for refusal in refusals) == 10


class Sliced:
    """A bulk lane that notes each slice it works on."""

    def __init__(self) -> None:
        self.worked: list[int] = []
        self.answers: dict[int, Answer] = {}
        self.dropped: list[int] = []
        self.working, self.go = threading.Event(), threading.Event()
        self.lane = BulkLane(
            self._begin,
            lambda one, answer: self.answers.update({one.call.message: answer}),
            lambda one: self.dropped.append(one.call.message),
            ProcessTurn(),
        )

    def _begin(self, waiting: WaitingCall) -> Generator[None, None, Answer]:
        call = waiting.call
        for _ in range(int(call.cost)):
            self.worked.append(call.message)
            self.working.set()
            self.go.wait(60)
            yield
        return Reply()


def test_the_call_with_the_least_work_left_goes_first() -> None:
    """A small call passes between two slices of a large one; an equal one waits for its end."""
    sliced = Sliced()
    assert sliced.lane.put(waiting(1, cost=400)) is None
    assert sliced.working.wait(60)
    for number, cost in ((2, 400), (3, 2)):
        assert sliced.lane.put(waiting(number, cost=cost)) is None
    sliced.go.set()
    sliced.lane.close()
    assert sliced.worked == [1, 3, 3, *[1] * 399, *[2] * 400]
    assert set(sliced.answers) == {1, 2, 3}


def test_a_long_call_is_dropped_between_two_slices() -> None:
    sliced = Sliced()
    call = waiting(1, timeout_s=600.0, cost=1000)
    assert sliced.lane.put(call) is None
    assert sliced.working.wait(60)
    call.deadline_s = 0.0  # Its caller's time is over.
    sliced.go.set()
    sliced.lane.close()
    assert sliced.dropped == [1]
    assert len(sliced.worked) < 1000
    assert not sliced.answers


def test_a_call_that_could_miss_its_deadline_goes_before_a_shorter_one() -> None:
    sliced = Sliced()
    sliced.lane._backlog._seconds_per_cost = 0.01
    assert sliced.lane.put(waiting(1, timeout_s=600.0, cost=5)) is None
    assert sliced.working.wait(60)
    assert sliced.lane.put(waiting(2, timeout_s=600.0, cost=20)) is None
    hurried = waiting(3, timeout_s=600.0, cost=30)
    assert sliced.lane.put(hurried) is None
    hurried.arrived_s -= 599.5  # 0.5 s left, for 0.3 s of work.
    sliced.go.set()
    sliced.lane.close()
    assert sliced.worked.index(3) < sliced.worked.index(2)
    assert sliced.worked[:2] == [1, 3]


def test_a_wrong_expectation_mends_itself() -> None:
    """After a stall everything seems to take too long; the next call shows that it does not."""
    sliced = Sliced()
    sliced.go.set()
    sliced.lane._backlog._seconds_per_cost = 1_000.0
    assert sliced.lane.put(waiting(1, timeout_s=60.0, cost=2)) is None
    sliced.lane.close()
    assert sliced.answers
    assert not sliced.dropped
    assert sliced.lane._backlog.seconds_per_cost < 900.0
    answered: list[int] = []
    lane = BatchLane(
        lambda some: answered.extend(one.call.message for one in some), lambda one: None, 64
    )
    lane._backlog._seconds_per_cost = 1_000.0
    assert lane.put(waiting(1, timeout_s=60.0)) is None
    lane.close()
    assert answered == [1]
