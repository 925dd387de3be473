"""A log is shipped once, whatever happens between two runs, and readers see it as it is now."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from penchant.domain.errors import ConfigError
from penchant.domain.pseudonyms import name_of
from penchant.logs.shipped.shipped_log import ShippedLog, TimeRange
from penchant.logs.shipped.shipped_schema import SCHEMA, day_of_us, rows_of
from penchant.logs.shipped.shipped_source import ShippedSource
from penchant.refresh.expire import DAY_US, expire_store
from penchant.refresh.put_back import put_back
from penchant.service.merge_users import MergeUsersRequest
from penchant.service.rebuilt_records import rebuild_records
from penchant.service.redated_log import redate
from penchant.store.memory import MemoryStore
from penchant.store.ship_notes import read_erasure, read_notes
from tests.support.shipped_world import (
    DAY_S,
    begun_history,
    gone_on,
    rows_in,
    server_of,
    ship_once,
    shipped_rows,
    world_in,
)
from tests.support.world import NOW_US, World, copy_of, liked


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = world_in(tmp_path, MemoryStore())
    begun_history(made)
    return made


def test_files_hold_every_row_with_all_that_the_log_holds(world: World, tmp_path: Path) -> None:
    result = ship_once(tmp_path, world.store)
    assert result.report.rows == len(rows_in(world.store)) == 49
    assert shipped_rows(tmp_path / "log") == rows_in(world.store)
    files = sorted((tmp_path / "log").glob("date=*/*.parquet"))
    for file in files:
        table = pq.read_table(file, partitioning=None)
        assert table.schema.names == SCHEMA.names
        days = {day_of_us(row.event.occurred_at_us) for row in rows_of(table)}
        assert days == {file.parent.name.removeprefix("date=")}


def test_a_second_run_ships_only_what_is_new_and_what_changed(world: World, tmp_path: Path) -> None:
    ship_once(tmp_path, world.store)
    assert ship_once(tmp_path, world.store).report.rows == 0
    gone_on(world)
    report = ship_once(tmp_path, world.store, commit_rows=3).report
    assert report.forgotten == 1
    assert not report.recounted
    # n1, n2, late, c-back, and the eight rows that are e's now.
    assert report.rows == 12
    assert shipped_rows(tmp_path / "log") == rows_in(world.store)
    assert ship_once(tmp_path, world.store).report.rows == 0
    with world.store.snapshot() as snapshot:
        assert read_notes(snapshot, 0) == []


def test_readers_with_the_store_see_what_is_not_shipped_yet(world: World, tmp_path: Path) -> None:
    ship_once(tmp_path, world.store)
    gone_on(world)
    assert shipped_rows(tmp_path / "log", world.store) == rows_in(world.store)
    assert shipped_rows(tmp_path / "log") != rows_in(world.store)


def test_a_trimmed_store_and_its_files_are_one_log(world: World, tmp_path: Path) -> None:
    before = rows_in(world.store)
    result = ship_once(tmp_path, world.store, trim_older=30.0 * DAY_S)
    assert result.trimmed is not None
    left = [row for row in before if row.event.occurred_at_us > NOW_US - 30 * DAY_US]
    assert result.trimmed.events == len(before) - len(left) > 0
    assert rows_in(world.store) == left
    assert shipped_rows(tmp_path / "log", world.store) == before
    # `gone` has no row left: its versions begin again, and its next event is shipped all the same.
    world.feed(liked("g1-again", "heat", user="gone"))
    world.feed(*(liked(f"more{number}", "toy", user="gone") for number in range(3)))
    assert ship_once(tmp_path, world.store).report.rows == 4
    assert len(shipped_rows(tmp_path / "log")) == len(before) + 4


def test_trimming_leaves_what_is_not_shipped(world: World, tmp_path: Path) -> None:
    from penchant.logs.shipped.shipped_place import LocalPlace
    from penchant.shipping.ship import trim_shipped
    from penchant.shipping.shipper import Shipper

    shipper = Shipper(world.store, LocalPlace(tmp_path / "log"), lambda: NOW_US)
    shipper.look()
    world.feed(liked("late", "bug", user="a", ago_s=40 * DAY_S))
    trimmed = trim_shipped(server_of(tmp_path, world.store), shipper, NOW_US - 30 * DAY_US)
    assert trimmed.waiting == 1
    assert {row.event.user for row in rows_in(world.store) if row.event.event_id == "late"} == {"a"}
    # `gone` has lost the last row: its versions begin again, below what is shipped.
    world.feed(liked("g1-late", "heat", user="gone", ago_s=39 * DAY_S))
    again = trim_shipped(server_of(tmp_path, world.store), shipper, NOW_US - 30 * DAY_US)
    assert (again.events, again.waiting) == (0, 2)
    assert "g1-late" in {row.event.event_id for row in rows_in(world.store)}


def test_users_who_lose_their_last_row_hold_up_nobody(world: World, tmp_path: Path) -> None:
    for number in range(4):
        world.feed(liked(f"l{number}", "toy", user=f"A{number}", ago_s=45 * DAY_S))
    result = ship_once(tmp_path, world.store, trim_older=30.0 * DAY_S)
    assert result.trimmed is not None
    assert result.trimmed.waiting == 0
    kept = {row.event.user for row in rows_in(world.store)}
    assert kept == set("abcdef")


def test_a_rebuild_after_a_trim_never_lets_versions_come_again(
    world: World, tmp_path: Path
) -> None:
    world.feed(liked("late", "bug", user="a", ago_s=49 * DAY_S))  # The highest version, and old.
    ship_once(tmp_path, world.store, trim_older=30.0 * DAY_S)
    before = world.record_bytes("a")
    rebuild_records(world.store, world.config.signals, 256)
    assert world.record_bytes("a") == before
    world.feed(liked("next", "toy", user="a"))
    assert ship_once(tmp_path, world.store).report.rows == 1


def test_a_forgotten_user_is_gone_for_readers_at_once_and_from_the_bytes_by_compaction(
    world: World, tmp_path: Path
) -> None:
    ship_once(tmp_path, world.store, trim_older=30.0 * DAY_S)
    world.users.forget("a")
    ship_once(tmp_path, world.store)
    assert not any(row.event.user == "a" for row in shipped_rows(tmp_path / "log"))
    assert held_in(tmp_path / "log", "a")
    with world.store.snapshot() as snapshot:
        erasure = read_erasure(snapshot, name_of("a"))
    assert erasure is not None
    assert (erasure.hidden_at_us, erasure.erased_at_us) == (NOW_US, 0)
    kept = shipped_rows(tmp_path / "log")
    result = ship_once(tmp_path, world.store, compact=True)
    assert result.rewritten is not None
    assert (result.rewritten.rows_gone, result.rewritten.erased) == (8, 1)
    assert not held_in(tmp_path / "log", "a")
    assert shipped_rows(tmp_path / "log") == kept
    with world.store.snapshot() as snapshot:
        erasure = read_erasure(snapshot, name_of("a"))
    assert erasure is not None
    assert erasure.erased_at_us == NOW_US
    names = [path.parent.name for path in (tmp_path / "log").glob("date=*/*.parquet")]
    assert len(names) == len(set(names))  # One file a day.


def held_in(log: Path, user: str) -> bool:
    """Whether any file of a log names a user."""
    return any(
        user in pq.read_table(path, columns=["user"], partitioning=None)["user"].to_pylist()
        for path in log.rglob("*.parquet")
    )


def test_what_was_shipped_and_trimmed_of_a_merged_user_follows_the_one_who_stays(
    world: World, tmp_path: Path
) -> None:
    ship_once(tmp_path, world.store, trim_older=30.0 * DAY_S)
    world.users.merge(MergeUsersRequest("d", "e"))
    world.users.merge(MergeUsersRequest("gone", "e"))  # Of whom the store holds nothing any more.
    ship_once(tmp_path, world.store)
    users = {row.event.user for row in shipped_rows(tmp_path / "log")}
    assert users == {"a", "b", "c", "e", "f"}
    assert len(shipped_rows(tmp_path / "log")) == 49
    world.users.forget("e")
    ship_once(tmp_path, world.store, compact=True)
    assert {row.event.user for row in shipped_rows(tmp_path / "log")} == {"a", "b", "c", "f"}
    assert not any(held_in(tmp_path / "log", user) for user in ("d", "e", "gone"))


def test_a_row_that_changed_replaces_the_shipped_one(world: World, tmp_path: Path) -> None:
    ship_once(tmp_path, world.store)
    with world.store.transaction() as transaction:
        redate(transaction, "a", NOW_US - 5 * DAY_US, NOW_US, world.config.signals, 256)
    report = ship_once(tmp_path, world.store).report
    assert report.rows == sum(
        row.event.user == "a" and row.event.occurred_at_us > NOW_US - DAY_US
        for row in rows_in(world.store)
    )
    assert shipped_rows(tmp_path / "log") == rows_in(world.store)


def test_a_restored_backup_is_noticed_and_nothing_is_shipped_twice(
    world: World, tmp_path: Path
) -> None:
    ship_once(tmp_path, world.store)
    backup = copy_of(world.store)
    world.feed(liked("lost", "heat", user="a"))
    ship_once(tmp_path, world.store)
    restored = world_in(tmp_path / "restored", backup)
    restored.feed(liked("other", "toy", user="a"))  # It gets the version that `lost` had.
    report = ship_once(tmp_path, backup).report
    assert report.recounted
    assert report.rows == 1
    ids = [row.event.event_id for row in shipped_rows(tmp_path / "log")]
    assert len(ids) == len(set(ids)) == 51
    restored.feed(liked("next", "toy", user="a"))
    assert ship_once(tmp_path, backup).report.rows == 1


def test_a_recount_knows_every_row_whatever_its_digest(world: World, tmp_path: Path) -> None:
    user = "recounted"
    digests = {
        f"r{n}": hashlib.blake2b(f"{user}\0r{n}".encode(), digest_size=16) for n in range(999)
    }
    ids = [id_ for id_, digest in digests.items() if 0 in (digest.digest()[0], digest.digest()[-1])]
    assert len(ids) > 3
    backup = copy_of(world.store)
    ship_once(tmp_path, backup)
    early = copy_of(backup)
    world_in(tmp_path / "other", backup).feed(*(liked(id_, "toy", user=user) for id_ in ids))
    ship_once(tmp_path, backup)
    world_in(tmp_path / "restored", early).feed(*(liked(id_, "toy", user=user) for id_ in ids))
    report = ship_once(tmp_path, early).report
    assert (report.recounted, report.rows) == (True, 0)


def test_one_place_holds_one_log(world: World, tmp_path: Path) -> None:
    ship_once(tmp_path, world.store)
    other = world_in(tmp_path / "other", MemoryStore())
    begun_history(other)
    with pytest.raises(ConfigError, match="this store did not ship"):
        ship_once(tmp_path, other.store)
    with pytest.raises(ConfigError, match="holds no log"):
        ship_once(tmp_path / "elsewhere", world.store)
    with pytest.raises(ConfigError, match="not this store's"):
        shipped_rows(tmp_path / "log", other.store)


def test_ranges_and_columns_alone_are_read(world: World, tmp_path: Path) -> None:
    ship_once(tmp_path, world.store)
    log = ShippedLog.opened(str(tmp_path / "log"))
    since, until = NOW_US - 20 * DAY_US, NOW_US - 10 * DAY_US
    (tmp_path / "log" / f"date={day_of_us(NOW_US - 40 * DAY_US)}").rename(tmp_path / "away")
    found = log.events(TimeRange(since, until), exposures=False)
    expected = [row for row in rows_in(world.store) if since <= row.event.occurred_at_us < until]
    assert sorted(event.event_id for event in found) == sorted(
        row.event.event_id for row in expected
    )
    assert found.at_us.tolist() == sorted(found.at_us.tolist())
    assert found.exposure is None
    with pytest.raises(ConfigError, match="has gone"):
        log.events()


def test_events_are_those_of_the_store(world: World, tmp_path: Path) -> None:
    ship_once(tmp_path, world.store)
    found = {event.event_id: event for event in ShippedLog.opened(str(tmp_path / "log")).events()}
    assert found == {row.event.event_id: row.event for row in rows_in(world.store)}


def test_expire_leaves_a_note_where_the_log_is_shipped_and_none_elsewhere(
    world: World, tmp_path: Path
) -> None:
    unshipped = copy_of(world.store)
    ship_once(tmp_path, world.store)
    for store in (world.store, unshipped):
        expire_store(server_of(tmp_path, store), NOW_US - 44 * DAY_US, NOW_US)
        with store.snapshot() as snapshot:
            kinds = [note.kind for note in read_notes(snapshot, 0)]
        assert kinds == (["lowered"] if store is world.store else [])


def test_trimmed_rows_come_back_for_a_rebuild_and_are_not_shipped_again(
    world: World, tmp_path: Path
) -> None:
    before = {user: world.record_bytes(user) for user in "abcdef"}
    ship_once(tmp_path, world.store, trim_older=30.0 * DAY_S)
    world.feed(liked("g1-again", "heat", user="gone"))
    source = ShippedSource(str(tmp_path / "log"))
    assert put_back(world.store, ShippedSource(source.shipped, until="2023-10-01")) > 0
    put_back(world.store, source)
    assert put_back(world.store, source) == 0
    rebuild_records(world.store, world.config.signals, 256)
    assert {user: world.record_bytes(user) for user in "abcdef"} == before
    assert len(world.log("gone")) == 2
    report = ship_once(tmp_path, world.store).report
    assert report.rows == 1  # The event that came meanwhile.
    events = {row.event for row in shipped_rows(tmp_path / "log")}
    assert events == {row.event for row in rows_in(world.store)}
    assert len(events) == len(shipped_rows(tmp_path / "log")) == 50
