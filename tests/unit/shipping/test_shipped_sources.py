"""Every reader of a log reads a shipped one, alone or with its store, and finds the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from penchant.domain.errors import ConfigError
from penchant.domain.retired_signals import RetiredSignals
from penchant.logs.event_log import EventLog
from penchant.logs.impressions import impressions_in
from penchant.logs.interactions import Interactions
from penchant.logs.log_source import LogSource
from penchant.logs.read_log import read_log
from penchant.logs.refusals import LeftOut
from penchant.logs.shipped.shipped_source import ShippedSource
from penchant.logs.stream import Stream
from penchant.refresh.refresh_input import read_refresh_input
from penchant.store.memory import MemoryStore
from penchant.store.refresh_note import read_refresh_note
from tests.support.released import Releasing
from tests.support.shipped_world import (
    DAY_S,
    begun_history,
    gone_on,
    in_a_file,
    ship_once,
    world_in,
)
from tests.support.world import World

_FIELDS = ("items", "users", "user", "item", "at_us", "reward", "weight", "relevant", "put_at")


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = world_in(tmp_path, MemoryStore())
    begun_history(made)
    return made


def stream_of(world: World, source: LogSource) -> Stream:
    return read_log(source, world.config.signals, "reward>0", LeftOut(), "")


def assert_equal(one: Stream, two: Stream) -> None:
    for name in _FIELDS:
        first, second = getattr(one, name), getattr(two, name)
        equal = np.array_equal(first, second) if isinstance(first, np.ndarray) else first == second
        assert equal, name
    assert isinstance(one.events, EventLog)
    assert list(one.events) == list(two.events)


def test_a_replay_of_a_shipped_log_is_that_of_its_store(world: World, tmp_path: Path) -> None:
    address, url = f"lmdb:{tmp_path / 'store'}", str(tmp_path / "log")
    ship_once(tmp_path, world.store)
    gone_on(world)
    in_a_file(world.store, tmp_path)
    expected = stream_of(world, LogSource(store=address))
    ship_once(tmp_path, world.store, trim_older=30.0 * DAY_S)
    in_a_file(world.store, tmp_path)
    left_out = LeftOut()
    trimmed = read_log(LogSource(store=address), world.config.signals, "reward>0", left_out, "")
    assert len(trimmed.events) < len(expected.events)
    assert f"--shipped {url} reads them too" in " ".join(left_out.warnings)
    found = stream_of(world, LogSource(store=address, shipped_log=ShippedSource(url)))
    assert_equal(found, expected)
    files_alone = stream_of(world, LogSource(shipped_log=ShippedSource(url)))
    assert list(files_alone.events) == list(expected.events)
    part = ShippedSource(url, since="2023-10-01", until="2023-11-01")
    within = stream_of(world, LogSource(store=address, shipped_log=part))
    start, end = (np.datetime64(day, "us").astype(np.int64) for day in ("2023-10-01", "2023-11-01"))
    times = expected.at_us
    assert within.at_us.tolist() == times[(times >= start) & (times < end)].tolist()


def test_a_refresh_learns_from_shipped_rows_as_from_the_stores_own(
    world: World, tmp_path: Path
) -> None:
    with world.store.snapshot() as snapshot:
        own = read_refresh_input(snapshot, world.config)
    ship_once(tmp_path, world.store, trim_older=30.0 * DAY_S)
    source = ShippedSource(str(tmp_path / "log"))

    def read(items: Mapping[str, int]) -> Interactions:
        return source.outcomes(items, world.store, world.config.signals, LeftOut())

    with world.store.snapshot() as snapshot:
        shipped = read_refresh_input(snapshot, world.config, read)

    def rows(events: Interactions) -> list[tuple[int, ...]]:
        columns = (events.item.tolist(), events.at_us.tolist(), events.reward.tolist())
        return sorted(zip(*columns, strict=True))

    assert rows(shipped.events) == rows(own.events)


def test_a_release_is_fitted_to_what_was_trimmed_as_well(tmp_path: Path) -> None:
    releasing = Releasing(tmp_path)
    world = releasing.world
    begun_history(world)
    with world.store.snapshot() as snapshot:
        whole = len(read_refresh_input(snapshot, world.config).events.item)
    release = releasing.build("second")
    ship_once(tmp_path, world.store, trim_older=30.0 * DAY_S)
    with world.store.snapshot() as snapshot:
        assert len(read_refresh_input(snapshot, world.config).events.item) < whole
    releasing.publish(release.id)
    with world.store.snapshot() as snapshot:
        assert read_refresh_note(snapshot).events == whole


def test_impressions_and_their_answers_are_found_in_both(world: World, tmp_path: Path) -> None:
    signals, none = world.config.signals, ShippedSource()

    def found(source: ShippedSource) -> list[tuple[object, ...]]:
        rows = impressions_in(world.store, source, signals, RetiredSignals())
        return sorted(dataclasses.astuple(one) for one in rows)

    own = found(none)
    assert len(own) == 10
    ship_once(tmp_path, world.store, trim_older=10.0 * DAY_S)
    assert len(found(none)) < len(own)
    assert found(ShippedSource(str(tmp_path / "log"))) == own


def test_wrong_ranges_and_places_are_refused(tmp_path: Path, world: World) -> None:
    cases = [
        (ShippedSource(str(tmp_path / "nowhere")), "there is none"),
        (ShippedSource(since="2023-01-01"), "without --shipped"),
        (ShippedSource("x", since="soon"), "--since"),
        (ShippedSource("x", since="2023-01-02", until="2023-01-01"), "after"),
    ]
    for source, words in cases:
        with pytest.raises(ConfigError, match=words):
            stream_of(world, LogSource(shipped_log=source))
    both = LogSource(events=tmp_path / "e.csv", shipped_log=ShippedSource("x"))
    with pytest.raises(ConfigError, match="--events"):
        stream_of(world, both)
