"""A store that an earlier release wrote is opened by this one, and nothing in it is lost.

`earlier/schema-N.mdb.xz` are LMDB files that the code of each schema itself wrote: five items, and
the events of `history`. Their catalog's files are left out, as a backup leaves them out.
"""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penchant.domain.errors import StateTooNew
from penchant.domain.types import Event
from penchant.service.event_results import EventStatus
from penchant.service.rank import RankRequest
from penchant.store.codec import SCHEMA_VERSION, unseal
from penchant.store.keys import Kind, encode
from penchant.store.open import open_store
from tests.support.command import run
from tests.support.world import NOW_US, SECOND_US, World

FILES = Path(__file__).with_name("earlier")
SCHEMAS = range(1, SCHEMA_VERSION)
USERS = ("ann", "bob", "cat")
TEXTS = {
    "red": "a red film about a dog",
    "blue": "a blue film about a cat",
    "old": "an old song of the sea",
    "new": "a new song of the hills",
    "toy": "a toy story for children",
}
ACTIONS = (("like", None), ("view", None), ("rating", 4.5), ("dislike", None))


def history() -> Iterator[Event]:
    """The events of each earlier store, twelve a user."""
    items, number = list(TEXTS), 0
    for step, user in enumerate(USERS, start=1):
        for place in range(12):
            number += 1
            signal, value = ACTIONS[place % 4]
            at_us = NOW_US + (number - 3600) * SECOND_US
            item = items[place * step % len(items)]
            yield Event(f"e{number}", user, item, signal, value, at_us, f"r{number // 3}")


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The same, as this release writes it."""
    world = World(tmp_path_factory.mktemp("today"))
    world.put(**TEXTS)
    for event in history():
        world.feed(event)
    return world


@pytest.fixture(params=SCHEMAS, ids=lambda schema: f"schema-{schema}")
def schema(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture
def directory(schema: int, tmp_path: Path) -> Path:
    packed = (FILES / f"schema-{schema}.mdb.xz").read_bytes()
    (tmp_path / "data.mdb").write_bytes(lzma.decompress(packed))
    return tmp_path


@contextmanager
def world_of(directory: Path) -> Iterator[World]:
    """The services of this release over a store."""
    store = open_store(f"lmdb:{directory}", map_bytes=1 << 24)
    try:
        yield World(directory / "catalog", store=store)
    finally:
        store.close()


@pytest.fixture
def opened(directory: Path) -> Iterator[World]:
    with world_of(directory) as world:
        yield world


def values(world: World, kind: Kind) -> dict[bytes, bytes]:
    with world.store.snapshot() as snapshot:
        return dict(snapshot.scan(encode(kind)))


def test_its_bytes_are_those_of_its_schema(schema: int, directory: Path) -> None:
    store = open_store(f"lmdb:{directory}", map_bytes=1 << 24)
    with store.snapshot() as snapshot:
        found = {
            value[0] for kind in (Kind.USER, Kind.LOG) for _, value in snapshot.scan(encode(kind))
        }
    store.close()
    assert found == {schema}


def test_its_records_are_those_of_the_same_events_today_byte_for_byte(
    opened: World, today: World
) -> None:
    """But for the field `signal`, which schema 6 brought, and which only the log can tell."""
    for user in USERS:
        record, expected = opened.record(user), today.record(user)
        assert record.state_version == expected.state_version == 12
        for field in set(record.window.dtype.names or ()) - {"signal"}:
            assert record.window[field].tobytes() == expected.window[field].tobytes(), field
        assert opened.log(user) == today.log(user)


def test_a_rebuild_makes_them_todays_byte_for_byte(directory: Path, today: World) -> None:
    ran = run(["rebuild", "--store", f"lmdb:{directory}"])
    assert ran.exit_code == 0, ran.stderr
    with world_of(directory) as rebuilt:
        for user in USERS:
            assert rebuilt.record_bytes(user) == today.record_bytes(user)


def test_it_ranks_knows_its_events_and_goes_on_learning(opened: World, today: World) -> None:
    known = {event.user: event for event in history()}
    for user in USERS:
        request = RankRequest(user, k=5)
        ranking, expected = opened.rank(request), today.rank(request)
        assert not ranking.cold_start
        assert ranking.state_version == expected.state_version
        assert set(ranking.ids) == set(expected.ids)
        (again,) = opened.feed(known[user])
        assert again.status is EventStatus.DUPLICATE
        (new,) = opened.feed(Event(f"new-{user}", user, "toy", "like", None, NOW_US))
        assert (new.status, new.state_version) == (EventStatus.ACCEPTED, 13)


def test_a_user_of_it_is_forgotten_whole(opened: World) -> None:
    assert opened.users.forget("ann").deleted["events"] == 12
    left = [
        key
        for kind in (Kind.USER, Kind.LOG, Kind.CONTRIBUTION)
        for key in values(opened, kind)
        if b"ann" in key
    ]
    assert left == []


def test_a_store_of_a_newer_release_is_refused_in_words(today: World) -> None:
    """As an older release refuses this one's: the upgrade is named, and nothing is written."""
    key = encode(Kind.USER, "ann")
    newer = SCHEMA_VERSION + 1
    before = values(today, Kind.USER)
    payload = bytes(unseal(before[key], "user record"))
    sealed = struct.pack("<BI", newer, zlib.crc32(payload, newer)) + payload
    with today.store.transaction() as transaction:
        transaction.put(key, sealed)
    try:
        with pytest.raises(StateTooNew, match=f"schema {newer}, this release reads up to"):
            today.rank(RankRequest("ann", k=1))
        (result,) = today.feed(Event("late", "ann", "toy", "like", None, NOW_US))
        assert "StateTooNew" in str(result)
        assert values(today, Kind.USER)[key] == sealed
    finally:
        with today.store.transaction() as transaction:
            transaction.put(key, before[key])
