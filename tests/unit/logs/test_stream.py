"""Items and events as a stream: in time order, without the events that a server would refuse."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from penchant.domain.errors import ConfigError
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.domain.types import Event, Item
from penchant.logs.event_log import EventLog
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import POSITIVE, parse_relevance
from penchant.logs.stream import Stream, first_events, make_stream, part_of


def stream_of(events: Iterable[Event], left_out: LeftOut) -> Stream:
    items = [Item("a", "one"), Item("b", "two")]
    return make_stream(items, events, DEFAULT_SIGNALS, parse_relevance(POSITIVE), left_out)


def like(event_id: str, item: str = "a", at_us: int = 0, signal: str = "like") -> Event:
    return Event(event_id, "ann", item, signal, None, at_us)


def test_a_stream_is_in_time_order_and_at_equal_times_in_the_files() -> None:
    events = [like("e1", at_us=9), like("e2", "b", at_us=3), like("e3", at_us=9), like("e4")]
    stream = stream_of(events, LeftOut())
    assert [event.event_id for event in stream.events] == ["e4", "e2", "e1", "e3"]
    assert stream.item.tolist() == [0, 1, 0, 0]
    assert stream.at_us.tolist() == [0, 3, 9, 9]


def test_rewards_weights_and_hits_are_those_of_the_signal_table() -> None:
    events = [like("e1"), like("e2", signal="purchase"), like("e3", signal="hide")]
    stream = stream_of(events, LeftOut())
    assert stream.reward.tolist() == [1.0, 1.0, -1.0]
    assert stream.weight.tolist() == [1.0, 2.0, 2.0]
    assert stream.relevant.tolist() == [True, True, False]


def test_what_a_server_would_not_take_is_left_out_and_counted() -> None:
    left_out = LeftOut()
    events = [like("e1"), like("e1"), like("e2", "zzz"), like("e3", signal="wink")]
    events.append(like("e4", signal="rating"))
    stream = stream_of(events, left_out)
    assert [event.event_id for event in stream.events] == ["e1"]
    retired = "events with the signal 'wink', which the signal table does not hold"
    assert left_out.counts == {
        "events known already": 1,
        "events about unknown items": 1,
        "events refused": 1,
        retired: 1,
    }
    assert "1 user; add the signal to the table" in left_out.first[retired]


def test_where_no_event_can_be_used_each_reason_is_named_with_its_count() -> None:
    events = [like("e1", "zzz"), like("e2", "yyy"), like("e3", signal="wink")]
    with pytest.raises(ConfigError) as raised:
        stream_of(events, LeftOut())
    message = str(raised.value)
    assert message.startswith("events: none of 3 can be used; ")
    assert "events about unknown items: 2 (first: item 'zzz')" in message
    assert "events with the signal 'wink', which the signal table does not hold: 1" in message


def test_users_are_numbered_in_time_order() -> None:
    events = [Event(f"e{at}", user, "a", "like", None, at) for user, at in (("v", 9), ("u", 3))]
    stream = stream_of(events, LeftOut())
    assert (stream.users, stream.user.tolist()) == (("u", "v"), [0, 1])


def test_hits_follow_the_value_and_the_signal() -> None:
    events = [Event(f"e{at}", "u", "a", "rating", value, at) for at, value in enumerate((5.0, 2.0))]
    events.append(like("e9", at_us=9))
    catalog, relevance = [Item("a", "one")], parse_relevance("rating>=4")
    stream = make_stream(catalog, events, DEFAULT_SIGNALS, relevance, LeftOut())
    assert stream.relevant.tolist() == [True, False, False]


def test_parts_keep_the_numbers_of_items_and_users() -> None:
    events = [like("e1"), Event("e2", "bob", "b", "like", None, 5), like("e3", at_us=9)]
    stream = stream_of(events, LeftOut())
    part = part_of(stream, np.array([1, 2]))
    assert (part.users, part.user.tolist()) == (("ann", "bob"), [1, 0])
    assert [event.event_id for event in part.events] == ["e2", "e3"]
    assert [event.event_id for event in first_events(stream, 2).events] == ["e1", "e2"]
    assert len(first_events(stream, 9).events) == 3


def test_the_events_of_a_stream_are_columns() -> None:
    assert isinstance(stream_of([like("e1")], LeftOut()).events, EventLog)
