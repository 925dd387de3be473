"""A frequency cap is exact, however many clients ask at once: never a fourth within the hour."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier, Semaphore

import pytest

from penchant.launch import Server
from penchant_sdk import Budget, Cap, Event, Item, Penchant, ReserveOption
from tests.contracts.client_world import SPACE, unique

pytestmark = pytest.mark.server

CLIENTS = 32
LIMIT, HOUR_S, LAPSE_S = 3, 3600, 30
COST_MICROS = 10


@pytest.fixture(scope="module")
def ads(penchant: Penchant) -> list[str]:
    items = [Item(unique("ad"), text) for text in SPACE]
    penchant.put_items(items)
    return [item.id for item in items]


def options_of(ads: list[str], money: str) -> list[ReserveOption]:
    caps = [Cap("campaign", LIMIT, HOUR_S)]
    return [ReserveOption(ad, caps, Budget(money, COST_MICROS, 10_000)) for ad in ads]


def shown(user: str, ad: str, id_: str, at: datetime) -> Event:
    return Event(user, ad, "impression", occurred_at=at, recommendation_id=id_)


def test_32_clients_at_once_show_one_user_three_and_never_a_fourth(
    server: Server, ads: list[str]
) -> None:
    user, options, start = unique("user"), options_of(ads, unique("money")), Barrier(CLIENTS)

    def show(number: int) -> int:
        count = 0
        with Penchant(server.target, timeout_s=30) as client:
            start.wait(60)
            for turn in range(5):
                id_ = f"{number}-{turn}"
                got = client.reserve(user, id_, options, n=1)
                assert client.reserve(user, id_, options, n=1).reserved == got.reserved
                for ad in got.items:
                    client.feedback([shown(user, ad, id_, datetime.now(UTC))] * 2)
                    count += 1
        return count

    with ThreadPoolExecutor(CLIENTS) as threads:
        assert sum(threads.map(show, range(CLIENTS))) == LIMIT


def test_what_lapses_among_32_clients_is_given_out_again_and_no_more(
    server: Server, ads: list[str]
) -> None:
    """In rounds a minute apart, on a clock of the test's own; in each, at most one is shown."""
    user, options, meet = unique("user"), options_of(ads, unique("money")), Barrier(CLIENTS)
    began, turns = datetime.now(UTC) - timedelta(days=1), range(6)
    showing = [Semaphore(1) for _ in turns]

    def ask(number: int) -> list[str]:
        ids = []
        with Penchant(server.target, timeout_s=30) as client:
            for turn in turns:
                meet.wait(60)
                at, id_ = began + timedelta(minutes=turn), f"{number}-{turn}"
                got = client.reserve(user, id_, options, n=1, lapse_s=LAPSE_S, as_of=at)
                ids += [id_ for _ in got.items]
                if turn % 2 and got.items and showing[turn].acquire(blocking=False):
                    client.feedback([shown(user, got.items[0], id_, at)])
        return ids

    with ThreadPoolExecutor(CLIENTS) as threads:
        granted = [id_ for ids in threads.map(ask, range(CLIENTS)) for id_ in ids]
    by_turn = Counter(int(id_.split("-")[1]) for id_ in granted)
    # Whoever showed one in rounds 1 and 3 leaves a place less to all that follow.
    assert [by_turn[turn] for turn in turns] == [3, 3, 2, 2, 1, 1]
