"""An event log is a sequence of the events that were put in."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from penchant.domain.types import Event, Exposure
from penchant.logs.event_log import EventLog
from penchant.logs.joined_log import joined

NAMES = st.sampled_from(["", "a", "b ", "é", "10"])
CONTEXTS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy"), max_size=2)
EVENTS = st.builds(
    Event,
    event_id=NAMES,
    user=NAMES,
    item=NAMES,
    signal=NAMES,
    value=st.one_of(st.none(), st.floats(allow_nan=False)),
    occurred_at_us=st.integers(-(2**62), 2**62),
    recommendation_id=NAMES,
    context=CONTEXTS.map(lambda entries: tuple(sorted(entries.items()))),
    exposure=st.one_of(st.none(), st.builds(Exposure, position=st.integers(0, 9))),
)
LISTS = st.lists(EVENTS, max_size=6)


@given(events=LISTS)
def test_the_events_come_back(events: list[Event]) -> None:
    log = EventLog.of(events)
    assert list(log) == events
    assert log == events
    assert [log[position] for position in range(len(log))] == events
    assert [log[position] for position in range(-len(log), 0)] == events


@given(events=LISTS, positions=st.lists(st.integers(0, 5)))
def test_some_events_are_taken_in_any_order(events: list[Event], positions: list[int]) -> None:
    there = [position for position in positions if position < len(events)]
    taken = EventLog.of(events).take(np.array(there, np.int64))
    assert list(taken) == [events[position] for position in there]
    assert list(EventLog.of(events)[1:4]) == events[1:4]


@given(parts=st.lists(LISTS, max_size=4))
def test_parts_are_joined_in_order(parts: list[list[Event]]) -> None:
    assert list(joined(map(EventLog.of, parts))) == [event for part in parts for event in part]


def test_events_without_ids_keep_theirs_wherever_they_go() -> None:
    bare = [Event("", "u", "i", "like", None, at) for at in range(4)]
    log = dataclasses.replace(EventLog.of(bare), event_id=None)
    ids = [event.event_id for event in log]
    assert len(set(ids)) == 4
    assert [event.event_id for event in log.take(np.array([2, 0]))] == [ids[2], ids[0]]
    with_ids = EventLog.of([Event("own", "u", "i", "like", None, 9)])
    both = joined([log[:2], with_ids, log[2:]])
    assert [event.event_id for event in both] == [*ids[:2], "own", *ids[2:]]


def test_a_part_that_is_left_out_leaves_no_names() -> None:
    events = [Event(name, name, name, "like", None, 0) for name in "abc"]
    log = joined([EventLog.of(events).take(np.array([2, 0]))])
    assert (list(log.user.distinct), list(log.item.distinct)) == (["a", "c"], ["a", "c"])
