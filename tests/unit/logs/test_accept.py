"""The accepted events are those that a server accepts one by one, in any order of troubles."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.errors import InvalidEvent
from penchant.domain.retired_signals import RetiredSignals, kind_of
from penchant.domain.rewards import ResolvedSignal, admit
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Event
from penchant.logs.accept import accept
from penchant.logs.event_log import EventLog
from penchant.logs.refusals import LeftOut

ITEMS = {"a": 4, "b": 7}
EVENTS = st.builds(
    Event,
    event_id=st.sampled_from(["1", "2", "3"]),
    user=st.sampled_from(["u", "v"]),
    item=st.sampled_from(["a", "b", "unknown"]),
    signal=st.sampled_from(["like", "rating", "impression", "wave"]),
    value=st.sampled_from([None, 1.0, 5.0]),
    occurred_at_us=st.just(0),
)


def one_by_one(events: list[Event], left_out: LeftOut) -> list[tuple[int, int, ResolvedSignal]]:
    """What a loop over the events accepts: position, item and outcome."""
    accepted, known, retired = [], set(), RetiredSignals()
    for position, event in enumerate(events):
        if event.item not in ITEMS:
            left_out.add("events about unknown items", f"item {event.item!r}")
        elif (event.user, event.event_id) in known:
            left_out.add("events known already", f"event_id {event.event_id!r}")
        else:
            try:
                outcome = admit(DEFAULT_SIGNALS, event.signal, event.value)
            except InvalidEvent as error:
                if event.signal in DEFAULT_SIGNALS:
                    left_out.add("events refused", str(error))
                else:
                    retired.resolve(DEFAULT_SIGNALS, event)
                    left_out.add(kind_of(DEFAULT_SIGNALS, event.signal, error), "")
                continue
            known.add((event.user, event.event_id))
            accepted.append((position, ITEMS[event.item], outcome))
    for kind, remedy, _ in retired.cases():
        left_out.first[kind] = remedy
    return accepted


@given(events=st.lists(EVENTS, max_size=12))
def test_a_log_is_accepted_as_its_events_one_by_one(events: list[Event]) -> None:
    expected_left_out, left_out = LeftOut(), LeftOut()
    expected = one_by_one(events, expected_left_out)
    log = EventLog.of(events)
    found = accept(log, ITEMS, DEFAULT_SIGNALS, left_out)
    assert found.position.tolist() == [position for position, _, _ in expected]
    assert found.item.tolist() == [item for _, item, _ in expected]
    assert found.reward.tolist() == [outcome.reward for _, _, outcome in expected]
    assert found.weight.tolist() == [outcome.weight for _, _, outcome in expected]
    assert found.impression.tolist() == [outcome.wait_s is not None for _, _, outcome in expected]
    assert left_out.counts == expected_left_out.counts
    assert list(left_out.first.items()) == list(expected_left_out.first.items())
    for position, pair in zip(found.position.tolist(), found.pair.tolist(), strict=True):
        event, example = log[position], log[int(found.pairs.example[pair])]
        assert (event.signal, event.value) == (example.signal, example.value)
