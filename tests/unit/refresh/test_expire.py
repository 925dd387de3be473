"""Retention: what is too old is as if it had never been, and accounts and counters stay right."""

from __future__ import annotations

from pathlib import Path

import pytest

from penchant.config import parse
from penchant.domain.reservations import Budget, Cap, ReserveOption, ReserveRequest
from penchant.launch.server_store import ServerStore
from penchant.logs.reconciliation import ads_report
from penchant.refresh.expire import DAY_US, expire_if_due, expire_store
from penchant.service.rebuilt_counters import rebuild_counters
from penchant.service.rebuilt_ledgers import rebuild_ledgers
from penchant.service.rebuilt_records import rebuild_records
from penchant.service.reserve import ReserveService
from penchant.store.keys import Kind
from tests.support.histories import FILMS
from tests.support.world import NOW_US, World, liked
from tests.unit.service.test_forget_user import rows_of


def made_world(directory: Path) -> World:
    world = World(directory)
    world.put(**FILMS)
    return world


def server_of(world: World, days: float = 30.0) -> ServerStore:
    config = parse(
        {"store": "memory:", "encoder": "e", "catalog_dir": str(world.directory)}
        | {"retention_days": str(days)}
    )
    return ServerStore(world.store, config, world.directory, world.directory)


def rows_without_versions(world: World) -> dict[bytes, bytes]:
    """Counters and contributions: what others see."""
    return {key: value for key, value in rows_of(world.store).items() if key[0] in b"NK"}


def test_old_events_are_as_if_they_had_never_been(tmp_path: Path) -> None:
    old = [
        liked("o1", "toy", ago_s=40 * 86_400),
        liked("o2", "heat", signal="purchase", ago_s=31 * 86_400),
        liked("o3", "bug", user="v", ago_s=35 * 86_400),
    ]
    new = [liked("n1", "toy", ago_s=86_400), liked("n2", "babe"), liked("n3", "bug", user="w")]
    keeps, expires = made_world(tmp_path / "a"), made_world(tmp_path / "b")
    keeps.feed(*new)
    expires.feed(*old, *new)
    found = expire_store(server_of(expires), NOW_US - 30 * DAY_US, NOW_US)
    assert (found.users, found.events, found.unreadable) == (2, 3, 0)
    assert rows_without_versions(expires) == rows_without_versions(keeps)
    assert expires.record("u").window.tobytes() == keeps.record("u").window.tobytes()
    assert expires.record("u").state_version == 4  # It never goes back.
    assert expires.state("v") is None
    assert not any(key[0] == Kind.OWNED for key in rows_of(expires.store))
    before = rows_of(expires.store)
    rebuild_records(expires.store, expires.config.signals, 256)
    rebuild_counters(expires.store, expires.config.signals, expires.config.offset_half_life_s)
    after = rows_of(expires.store)
    assert {key for key in before if before[key] != after.get(key)} <= {
        key for key in before if key[0] in (Kind.USER, Kind.RECOUNTED)
    }
    assert expires.record("u").state_version == 4
    assert expire_store(server_of(expires), NOW_US - 30 * DAY_US, NOW_US).events == 0


def test_accounts_and_ledgers_stay_right(tmp_path: Path) -> None:
    world = made_world(tmp_path)
    desk = ReserveService(world.store, world.catalogs, world.clock, world.meter)
    option = ReserveOption("toy", (Cap("c", 9, 90 * 86_400),), Budget("money", 7, 1000))
    for number, days_ago in enumerate((50, 40, 10, 0)):
        world.now_us = NOW_US - days_ago * DAY_US
        (reply,) = desk.reserve([ReserveRequest("u", f"r{number}", (option,), 1, 60)])
        assert reply.reserved  # type: ignore[union-attr]  # A reply, no error.
        if number != 1:  # The second one lapses.
            seen = liked(
                f"e{number}",
                "toy",
                signal="impression",
                recommendation_id=f"r{number}",
                ago_s=days_ago * 86_400,
            )
            world.feed(seen)
    with world.store.snapshot() as snapshot:
        before = ads_report(snapshot, world.now_us)
    found = expire_store(server_of(world), NOW_US - 30 * DAY_US, NOW_US)
    assert (found.events, found.reservations) == (1, 2)
    with world.store.snapshot() as snapshot:
        assert ads_report(snapshot, world.now_us) == before
    kept = rows_of(world.store)
    made = rebuild_ledgers(world.store, world.now_us)
    assert (made.corrected_users, made.corrected_budgets) == (0, 0)
    assert rows_of(world.store) == kept


def test_the_clock_does_not_empty_a_store(tmp_path: Path) -> None:
    """A machine's clock may be years ahead; a person is asked then."""
    world = made_world(tmp_path)
    world.feed(liked("e1", "toy"), liked("e2", "toy", user="v", ago_s=40 * 86_400))
    assert expire_if_due(server_of(world), NOW_US + 400 * DAY_US) is None
    assert expire_if_due(server_of(world, days=0.0), NOW_US) is None
    found = expire_if_due(server_of(world), NOW_US)
    assert found is not None
    assert found.events == 1
    assert world.state("v") is None


def test_who_has_nothing_old_costs_no_transaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = made_world(tmp_path)
    world.feed(liked("e1", "toy", ago_s=86_400), liked("e2", "heat", user="v"))
    monkeypatch.setattr(world.store, "transaction", lambda: pytest.fail("a transaction"))
    assert expire_store(server_of(world), NOW_US - 30 * DAY_US, NOW_US).users == 0
