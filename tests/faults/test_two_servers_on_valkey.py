"""Two servers' services, in two processes, on one real Valkey: they keep what one writer keeps."""

from __future__ import annotations

import contextlib
import random
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from penchant.domain.reservations import Budget, Cap, ReserveOption, ReserveRequest
from penchant.domain.types import Counters, Event
from penchant.domain.window import digest64
from penchant.service.event_results import EventStatus
from penchant.service.rank import RankRequest
from penchant.store.accepted_events import read_accepted
from penchant.store.counters import scan_counters
from penchant.store.ledgers import read_ledger, read_spending
from penchant.store.newest import read_newest
from penchant.store.open import open_store
from penchant.store.users import holds_user, scan_user_ids
from penchant.store.valkey.valkey_store import ValkeyStore
from tests.support.histories import FILMS
from tests.support.valkey_servers import ValkeyNode, durability, valkey_server
from tests.support.world import NOW_US, World, liked
from tests.support.world_process import WorldProcess, world_process

ALTERNATIONS = 150
CLIENTS = 32


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyNode]:
    with valkey_server(tmp_path_factory.mktemp("valkey"), *durability("everysec")) as node:
        yield node


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalog's files, of which each server has a copy."""
    return tmp_path_factory.mktemp("catalog")


@pytest.fixture(scope="module")
def address(node: ValkeyNode, catalog: Path) -> str:
    """A store with six films."""
    address = f"valkey://{node.name}/films?timeout_ms=60000"
    with contextlib.closing(open_store(address)) as store:
        World(catalog, store=store).put(**FILMS)
    return address


@pytest.fixture(scope="module")
def servers(
    address: str, catalog: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[WorldProcess, WorldProcess]]:
    place = tmp_path_factory.mktemp("servers")
    with ExitStack() as opened:
        one, other = (
            opened.enter_context(
                world_process(address, Path(shutil.copytree(catalog, place / name)))
            )
            for name in ("one", "other")
        )
        yield one, other


@pytest.fixture
def store(address: str) -> Iterator[ValkeyStore]:
    with contextlib.closing(open_store(address)) as store:
        assert isinstance(store, ValkeyStore)
        yield store


Servers = tuple[WorldProcess, WorldProcess]


def test_what_one_server_acknowledges_the_other_ranks_by(servers: Servers) -> None:
    for turn in range(ALTERNATIONS):
        writes, reads = servers[turn % 2], servers[1 - turn % 2]
        (result,) = writes.ask("feed", [liked(f"a{turn}", "toy", user="alternating")])
        assert (result.status, result.state_version) == (EventStatus.ACCEPTED, turn + 1)
        ranking = reads.ask("rank", RankRequest("alternating", 3, min_state_version=turn + 1))
        assert ranking.state_version == turn + 1


def test_events_at_two_servers_at_once_are_counted_as_by_one(
    servers: Servers, store: ValkeyStore, catalog: Path, tmp_path: Path
) -> None:
    dice = random.Random(7)
    events = [
        liked(f"b{n}", dice.choice(sorted(FILMS)), user=dice.choice(("ann", "ben")), ago_s=n)
        for n in range(120)
    ]
    store.settle()
    before = counts(store)
    sent = [events[:80], events[40:]]  # Some are sent to both.
    for server, mine in zip(servers, sent, strict=True):
        server.begin("feed_each", mine)
    results = [
        pair
        for server, mine in zip(servers, sent, strict=True)
        for pair in zip(mine, server.answer(), strict=True)
    ]
    accepted = [event for event, result in results if result.status is EventStatus.ACCEPTED]
    assert sorted(one.event_id for one in accepted) == sorted(one.event_id for one in events)
    duplicates = [result.status is EventStatus.DUPLICATE for _, result in results]
    assert sum(duplicates) == 40
    store.settle()
    alone = World(tmp_path)
    alone.put(**FILMS)
    world = World(catalog, store=store)
    for user in ("ann", "ben"):
        rows = world.log(user)
        assert [row.state_version for row in rows] == list(range(1, len(rows) + 1))
        alone.feed(*[row.event for row in rows])
        assert alone.record_bytes(user) == world.record_bytes(user)
    sums, more, newest = counts(store)
    with alone.store.snapshot() as snapshot:
        expected = dict(scan_counters(snapshot))
        assert more - before[1] == read_accepted(snapshot)
    others = {number for number, counters in before[0].items() if counters.as_of_us}
    assert {n: sums[n].exact for n in expected if n not in others} == {
        n: one.exact for n, one in expected.items() if n not in others
    }
    assert newest == NOW_US
    assert servers[0].ask("offsets") == pytest.approx(servers[1].ask("offsets"))


def counts(store: ValkeyStore) -> tuple[dict[int, Counters], int, int | None]:
    with store.snapshot() as snapshot:
        return dict(scan_counters(snapshot)), read_accepted(snapshot), read_newest(snapshot)


def test_no_user_gets_a_fourth_impression_and_no_budget_is_overspent(
    servers: Servers, store: ValkeyStore
) -> None:
    caps = (Cap("campaign", 3, 3600),)
    for turn in range(3):
        user, key = f"capped{turn}", f"money{turn}"
        budget = Budget(key, 10, 45)

        def asking(user: str, id_: str, *caps: Cap) -> ReserveRequest:
            return ReserveRequest(user, id_, (ReserveOption("toy", caps, budget),), 1, lapse_s=60)  # noqa: B023 - it is called in this turn.

        asked = [asking(user, f"r{n}", *caps) for n in range(CLIENTS)]
        mixed = [*asked, *[asking(f"{user}/{n}", "r") for n in range(4)]]
        random.Random(turn).shuffle(mixed)
        for half, server in enumerate(servers):
            server.begin("reserve_at_once", mixed[half::2])
        replies = [reply for server in servers for reply in server.answer()]
        assert len(replies) == len(mixed)
        granted = sum(len(reply.reserved) for reply in replies)
        assert granted <= 4  # As many as the budget pays for.
        with store.snapshot() as snapshot:
            assert len(read_ledger(snapshot, user)) <= 3
            money = read_spending(snapshot, digest64(key))
        assert money.committed_micros(NOW_US) == 10 * granted  # And nothing is held for nobody.
        later = [asking(f"{user}/later{n}", "r") for n in range(5)]
        more = [servers[0].ask("reserve_at_once", [one]) for one in later]
        assert granted + sum(len(reply.reserved) for (reply,) in more) == 4


def test_a_user_whom_one_server_forgets_never_comes_back_by_the_other(
    servers: Servers, store: ValkeyStore
) -> None:
    events = [liked(f"c{n}", "heat", user="gone", ago_s=1.0) for n in range(60)]
    servers[0].ask("feed", events[:20])
    servers[1].begin("feed_each", events[20:-1])
    servers[0].ask("forget", "gone")
    servers[1].answer()  # All may have come before, or some after.
    (late,) = servers[1].ask("feed", events[-1:])
    assert late.reason == "UserForgotten"
    store.settle()
    with store.snapshot() as snapshot:
        assert not holds_user(snapshot, "gone")
        assert "gone" not in list(scan_user_ids(snapshot))


def test_two_users_become_one_while_the_other_server_feeds_them(
    servers: Servers, store: ValkeyStore, catalog: Path
) -> None:
    visitor = [liked(f"v{n}", "alien", user="visitor") for n in range(30)]
    known = [liked(f"k{n}", "bug", user="known") for n in range(30)]
    servers[0].ask("feed", visitor[:10])
    servers[1].begin("feed_each", [*visitor[10:], *known])
    for _ in range(3):
        servers[0].ask("merge", "visitor", "known")
    servers[1].answer()
    servers[0].ask("merge", "visitor", "known")
    world = World(catalog, store=store)
    kept: list[Event] = [row.event for row in world.log("known")]
    ids = {event.event_id for event in [*visitor, *known]}
    assert len(kept) == len(ids)
    assert {event.event_id for event in kept} == ids
    assert not world.log("visitor")
