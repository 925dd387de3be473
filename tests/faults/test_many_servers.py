"""Real Tritons on one real Valkey: what one is told, the others rank by, and nothing is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from penchant.domain.window import digest64
from penchant.launch import Server
from penchant.launch.model_parameters import gather
from penchant.launch.server import ATTEMPTS
from penchant.refresh.refresh import RefreshRequest, refresh
from penchant.store.ledgers import read_spending
from penchant.store.open import open_store
from penchant.store.users import read_log
from penchant_sdk import Budget, Cap, Event, Item, Penchant, ReserveOption
from penchant_sdk.errors import PenchantError, StoreUnavailable, UnknownItem
from tests.contracts.client_world import unique
from tests.support.served import served
from tests.support.valkey_servers import ValkeyNode, durability, valkey_server, wait_until
from tests.support.word_encoder import write_word_encoder

pytestmark = [pytest.mark.server, pytest.mark.timeout(600)]

ITEMS = {f"film-{number}": f"red blue film part{number % 7}" for number in range(30)}
ALTERNATIONS = 2_000
SECRET = "never-to-be-seen"
TIME_LIMIT_MS = 3_000
"""Of a call to the store: on a busy machine, a Valkey may well need a second to answer."""
THREADS = 4
CALLERS = 32
LAPSE_S = 600
"""Longer than it takes to look at what was reserved, on a busy machine."""


class Pair(NamedTuple):
    """Two servers of one store, a client of each, and the store's own server."""

    servers: tuple[Server, Server]
    clients: tuple[Penchant, Penchant]
    valkey: ValkeyNode
    address: str
    directory: Path


def describe(directory: Path, name: str, address: str) -> Server:
    state = directory / name
    settings = gather(address, directory / "encoder", [f"state_dir={state}"])
    return Server(state / "server", settings, instances={"penchant_rank": 2})


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    directory = tmp_path_factory.mktemp("pair")
    write_word_encoder(directory / "encoder", ITEMS.values(), dimensions=16, seed=1)
    user = ["--user", "shop", "on", f">{SECRET}", "~*", "&*", "+@all"]
    with valkey_server(directory / "valkey", *durability("everysec"), *user) as valkey:
        address = f"valkey://shop:{SECRET}@{valkey.name}/shop?timeout_ms={TIME_LIMIT_MS}"
        one, two = (describe(directory, name, address) for name in ("one", "two"))
        with (
            served(one),
            served(two),
            Penchant(one.target, timeout_s=30.0) as a,
            Penchant(two.target, timeout_s=30.0) as b,
        ):
            a.put_items([Item(id_, text) for id_, text in ITEMS.items()])
            wait_until(lambda: len(b.rank("nobody", k=50).items) == len(ITEMS), "the items at both")
            wait_until(lambda: _learns(b, "early", "film-0", 1), "the items at its feedback")
            yield Pair((one, two), (a, b), valkey, address, directory)
            assert SECRET not in _command_lines(one, two)
        assert not [path for path in _files(directory) if SECRET.encode() in path.read_bytes()]
        for server in (one, two):
            assert "Traceback" not in server.log_path.read_text(errors="replace")


def _command_lines(*servers: Server) -> str:
    pids = [pid for server in servers for pid in (server.pid, *server.pids().values()) if pid]
    return " ".join(Path(f"/proc/{pid}/cmdline").read_text() for pid in pids)


def _files(directory: Path) -> Iterator[Path]:
    """What the servers have written: logs, configurations, catalogs."""
    for name in ("one", "two", "late", "job"):
        yield from (path for path in (directory / name).rglob("*") if path.is_file())


def like(client: Penchant, user: str, item: str, event_id: str = "") -> int:
    """Feeds a like; returns the user's version."""
    ack = client.feedback([Event(user, item, "like", event_id=event_id or unique("like"))])
    ack.raise_for_refused()
    return ack.state_version(user)


def test_what_one_server_is_told_the_other_ranks_by_at_once(pair: Pair) -> None:
    def alternate(thread: int) -> None:
        user = f"reader-{thread}"
        for version in range(1, ALTERNATIONS // THREADS + 1):
            told, asked = pair.clients[version % 2], pair.clients[1 - version % 2]
            assert like(told, user, f"film-{version % len(ITEMS)}") == version
            ranking = asked.rank(user, k=3, min_state_version=version)
            assert ranking.state_version == version
            assert not ranking.degraded

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(alternate, range(THREADS)))


def test_32_callers_at_two_servers_at_once_get_three_impressions(pair: Pair) -> None:
    option = ReserveOption("film-1", [Cap("campaign", 3, 3600)], Budget("spring", 10, 1_000))
    begin = threading.Barrier(CALLERS)

    def reserve(number: int) -> int:
        target = pair.servers[number % 2].target
        with Penchant(target, timeout_s=60.0, max_attempts=10) as client:
            client.rank("nobody", k=1)  # It is connected before all begin.
            begin.wait()
            got = client.reserve("capped", f"r{number}", [option], n=1, lapse_s=LAPSE_S)
            return len(got.reserved)

    with ThreadPoolExecutor(CALLERS) as threads:
        assert sum(threads.map(reserve, range(CALLERS))) == 3
    with closing(open_store(pair.address)) as store, store.snapshot() as snapshot:
        money = read_spending(snapshot, digest64("spring"))
    assert money.committed_micros(time.time_ns() // 1000) == 30


def test_items_that_are_put_at_one_server_are_ranked_and_learnt_at_the_other(pair: Pair) -> None:
    for number in range(4):
        at, other = pair.clients[number % 2], pair.clients[1 - number % 2]
        item = f"new-{number}"
        at.put_items([Item(item, f"blue part{number}")])
        wait_until(partial(_knows, other, item), "the item at the other")
        wait_until(partial(_learns, other, "learner", item, number + 1), "the item at its feedback")
    wait_until(lambda: _same_ranking(pair, "learner"), "the same offsets at both")
    at.put_items([Item("new-0", "quite another text part1")])
    wait_until(lambda: _same_version(pair), "the new version at both")
    at.delete_items(["new-1"])
    wait_until(lambda: not _knows(pair.clients[0], "new-1"), "the deletion at the other")


def _knows(client: Penchant, item: str) -> bool:
    return item not in client.rank("nobody", k=1, candidates=[item]).unknown_candidates


def _learns(client: Penchant, user: str, item: str, version: int) -> bool:
    """Feeds a like, unless the process of feedback follows those that rank only in a moment."""
    try:
        assert like(client, user, item) == version
    except UnknownItem:
        return False
    return True


def _is_at(client: Penchant, version: int) -> bool:
    return client.rank("nobody", k=1).catalog_version == version


def _same_ranking(pair: Pair, user: str, clients: tuple[Penchant, Penchant] | None = None) -> bool:
    one, two = (client.rank(user, k=20) for client in clients or pair.clients)
    return (one.ids, one.catalog_version) == (two.ids, two.catalog_version)


def _same_version(pair: Pair) -> bool:
    one, two = (client.rank("nobody", k=1) for client in pair.clients)
    return one.catalog_version == two.catalog_version


def test_a_refresh_reaches_all_servers_without_a_restart(pair: Pair) -> None:
    for user in range(6):
        for number in range(5):
            item = f"film-{(user % 2 + 2 * number) % len(ITEMS)}"
            like(pair.clients[user % 2], f"fan-{user}", item)
    before = pair.clients[0].rank("fan-0", k=3).catalog_version
    state = f"state_dir={pair.directory / 'job'}"
    result = refresh(RefreshRequest(store=pair.address, settings=(state,)))
    assert result.head.version > before
    for client in pair.clients:
        wait_until(partial(_is_at, client, result.head.version), "the refreshed version")
    wait_until(lambda: _same_ranking(pair, "fan-0"), "the same ranking at both")


def test_a_store_that_does_not_answer_costs_no_ranking_and_no_restart(pair: Pair) -> None:
    client = pair.clients[0]
    version = like(client, "anna", "film-3")
    for _ in range(40):  # Each of the processes that rank has seen her.
        known = client.rank("anna", k=5, min_state_version=version)
    quick = Penchant(pair.servers[0].target, timeout_s=60.0, max_attempts=1)
    with pair.valkey.paused():
        first = quick.rank("anna", k=5)
        began = time.monotonic()
        rankings = [quick.rank("anna", k=5) for _ in range(20)]
        refused = 0
        for number in range(20):
            with pytest.raises(StoreUnavailable):
                like(quick, "anna", "film-4", f"away-{number}")
            refused += 1
        took_s = time.monotonic() - began
        strangers = quick.rank("stranger", k=5)
    assert first.degraded
    assert all(one.degraded and one.ids == known.ids for one in rankings)
    assert (strangers.degraded, strangers.cold_start) == (True, True)
    assert refused == 20
    assert took_s < 20 * TIME_LIMIT_MS / 1e3, "40 calls wait for no time limit each"
    wait_until(lambda: not client.rank("anna", k=5).degraded, "the store again")
    after = like(client, "anna", "film-4")
    assert client.rank("anna", k=5, min_state_version=after).state_version == after
    quick.close()


def test_a_server_that_is_killed_loses_nothing_that_was_acked(pair: Pair) -> None:
    acked: list[list[str]] = [[], []]
    gone = threading.Event()

    def feed(side: int) -> None:
        # A call that a busy machine holds up is sent again, with the same event id.
        with Penchant(pair.servers[side].target, timeout_s=60.0) as client:
            for number in range(100_000):
                if gone.is_set() and len(acked[1]) > 150:
                    return
                event_id = f"killed-{side}-{number}"
                try:
                    like(client, f"victim-{number % 5}", "film-1", event_id)
                except PenchantError:
                    if side == 0 and gone.is_set():
                        return
                    raise
                acked[side].append(event_id)

    with ThreadPoolExecutor(2) as threads:
        running = [threads.submit(feed, side) for side in (0, 1)]
        try:
            both = "events at both"
            wait_until(lambda: min(len(acked[0]), len(acked[1])) > 40, both, timeout_s=120.0)
        finally:
            gone.set()  # Else the callers would go on for ever.
        pair.servers[0].kill()
        for one in running:
            one.result()
    store = open_store(pair.address)
    with store.snapshot() as snapshot:
        logs = [read_log(snapshot, f"victim-{number}") for number in range(5)]
    store.close()
    found = [row.event.event_id for log in logs for row in log]
    assert len(found) == len(set(found))
    assert set(acked[0] + acked[1]) <= set(found)
    pair.servers[0].start(attempts=ATTEMPTS)
    ranking = pair.clients[0].rank("victim-0", k=3)
    assert ranking.state_version == len(logs[0])


def test_a_server_that_starts_empty_serves_what_the_others_know(pair: Pair) -> None:
    late = describe(pair.directory, "late", pair.address)
    with served(late), Penchant(late.target, timeout_s=30.0) as client:
        clients = client, pair.clients[1]
        wait_until(lambda: _same_ranking(pair, "fan-1", clients), "the same ranking at both")
        with pytest.raises(UnknownItem):
            like(client, "fan-1", "nowhere")
