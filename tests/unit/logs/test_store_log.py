"""A server's store as a log: the items put and the events accepted, but for those taken back."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.domain.errors import ConfigError
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.logs.refusals import LeftOut
from penchant.logs.relevance import POSITIVE, parse_relevance
from penchant.logs.store_log import stream_of_store
from penchant.logs.stream import Stream, make_stream
from tests.support.world import World, liked
from tests.unit.evaluation.streams import random_stream


def read(world: World, left_out: LeftOut | None = None) -> Stream:
    with world.store.snapshot() as snapshot:
        relevance = parse_relevance(POSITIVE)
        return stream_of_store(snapshot, DEFAULT_SIGNALS, relevance, left_out or LeftOut())


def test_a_fed_server_gives_back_the_log_that_it_was_fed(tmp_path: Path) -> None:
    stream = random_stream(5, events=60)
    world = World(tmp_path)
    world.catalog.put(list(stream.items))
    for event in stream.events:
        world.feed(event)
    again = make_stream(
        stream.items, stream.events, DEFAULT_SIGNALS, parse_relevance(POSITIVE), LeftOut()
    )
    found = read(world)
    assert found.items == again.items
    assert found.events == again.events
    assert found.users == again.users


def test_events_about_deleted_items_are_left_out_and_those_of_forgotten_users_gone(
    tmp_path: Path,
) -> None:
    world = World(tmp_path)
    world.put(one="first", two="second", three="third")
    world.feed(liked("e1", "one", user="u"), liked("e2", "two", user="u"))
    world.feed(liked("e3", "two", user="v"), liked("e4", "three", user="w"))
    world.catalog.delete(["three"])
    world.users.forget("v")
    left_out = LeftOut()
    found = read(world, left_out)
    assert [item.id for item in found.items] == ["one", "two"]
    assert {event.event_id for event in found.events} == {"e1", "e2"}
    assert left_out.counts == {"events about unknown items": 1}


def test_a_store_without_events_is_an_error(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.put(one="first")
    with pytest.raises(ConfigError, match="events: none of 0 can be used; there are none"):
        read(world)
