"""A store with a history that is shipped, and the views of both that must agree."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from penchant.config import parse
from penchant.domain.types import Event, Exposure, LogRow
from penchant.launch.server_store import ServerStore
from penchant.logs.shipped.shipped_log import ShippedLog
from penchant.logs.shipped.shipped_place import open_place
from penchant.logs.shipped.shipped_schema import SCHEMA, rows_of
from penchant.service.merge_users import MergeUsersRequest
from penchant.shipping.ship import ShipRequest, ShipResult, look
from penchant.shipping.shipper import Shipper
from penchant.store.base import Store
from penchant.store.lmdb import LmdbStore
from penchant.store.users import read_log, scan_user_ids
from tests.support.histories import FILMS
from tests.support.world import NOW_US, World, liked

DAY_S = 86_400
MAP_BYTES = 64 << 20


def opened(directory: Path) -> LmdbStore:
    return LmdbStore(directory / "store", map_bytes=MAP_BYTES)


def server_of(directory: Path, store: Store) -> ServerStore:
    config = parse({"store": "memory:", "encoder": "e", "catalog_dir": str(directory / "catalog")})
    return ServerStore(store, config, directory / "catalog", directory)


def world_in(directory: Path, store: Store) -> World:
    (directory / "catalog").mkdir(parents=True, exist_ok=True)
    return World(directory / "catalog", store=store)


def begun_history(world: World) -> None:
    """Events of several users over 50 days, shown items and contexts among them."""
    world.put(**FILMS)
    films = sorted(FILMS)
    for number in range(48):
        user = "abcdef"[number % 6]
        event = liked(f"e{number}", films[number % 6], user=user, ago_s=(50 - number) * DAY_S)
        if number % 5 == 0:
            event = shown(event, number)
        world.feed(event)
    world.feed(liked("g1", "toy", user="gone", ago_s=45 * DAY_S))


def short_history(world: World) -> None:
    """Events of the same users on three days."""
    world.put(**FILMS)
    for number, days_ago in enumerate((50, 5) * 5):
        user, item = "abcde"[number % 5], sorted(FILMS)[number % 6]
        world.feed(liked(f"e{number}", item, user=user, ago_s=days_ago * DAY_S))
    world.feed(liked("g1", "toy", user="gone", ago_s=50 * DAY_S))


def shown(event: Event, number: int) -> Event:
    place = Exposure(1 + number % 3, 0.25, bool(number % 2), 1.5)
    context = (("hour", "9"), ("room", f"r{number}"))
    return Event(
        event.event_id,
        event.user,
        event.item,
        "impression",
        None,
        event.occurred_at_us,
        f"r{number}",
        context,
        place,
    )


def gone_on(world: World) -> None:
    """New and late events, a user who is forgotten and comes back, and two who become one."""
    world.feed(liked("n1", "heat", user="a"), liked("n2", "toy", user="new"))
    world.feed(liked("late", "bug", user="b", ago_s=40 * DAY_S))
    world.now_us += 1_000_000
    world.users.forget("c")
    world.now_us += 1_000_000
    back = liked("c-back", "babe", user="c", ago_s=-3)
    world.now_us += 5_000_000
    world.feed(back)
    world.users.merge(MergeUsersRequest("d", "e"))


def in_a_file(store: Store, directory: Path) -> None:
    """Writes the content of a store as that of a directory, closed again."""
    shutil.rmtree(directory / "store", ignore_errors=True)
    copy = opened(directory)
    with store.snapshot() as snapshot, copy.transaction() as transaction:
        for key, value in snapshot.scan(b""):
            transaction.put(key, value)
    copy.close()


def rows_in(store: Store) -> list[LogRow]:
    """All rows of a store's log, in one order."""
    with store.snapshot() as snapshot:
        found = [row for user in scan_user_ids(snapshot) for row in read_log(snapshot, user)]
    return ordered(found)


def shipped_rows(url: Path | str, store: Store | None = None) -> list[LogRow]:
    """All rows that a reader of the files sees; with the store, its tail as well."""
    log = ShippedLog.opened(str(url)) if store is None else ShippedLog.opened_with(str(url), store)
    return ordered(row for table in log.tables(SCHEMA.names) for row in rows_of(table))


def ordered(rows: Iterable[LogRow]) -> list[LogRow]:
    return sorted(rows, key=lambda row: (row.event.user, row.event.event_id, row.accepted_at_us))


def ship_once(
    directory: Path,
    store: Store,
    *,
    commit_rows: int = 1_000_000,
    now_us: int = NOW_US,
    **fields: object,
) -> ShipResult:
    """Ships what is new to the folder `log` of a directory, or to the address `to`."""
    place = open_place(str(fields.get("to") or directory / "log"), "--to")
    shipper = Shipper(store, place, lambda: now_us, commit_rows)
    request = ShipRequest(**fields)  # type: ignore[arg-type]  # Fields of several types.
    return look(server_of(directory, store), shipper, request)


def copied(directory: Path, name: str) -> Path:
    target = directory.parent / name
    shutil.copytree(directory, target)
    return target
