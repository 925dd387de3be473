"""The very next read after an ack uses what was acked, whichever process answers it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from penchant.launch import Server
from penchant_sdk import AsyncPenchant, Event, Item, Penchant
from tests.contracts.client_world import KITCHEN, SPACE, unique

pytestmark = pytest.mark.server

THREADS = 4
ROUNDS = 600
"""Of each thread: one feedback, one ranking."""


@pytest.fixture(scope="module")
def films(penchant: Penchant) -> list[str]:
    items = [Item(unique("film"), text) for text in SPACE + KITCHEN]
    penchant.put_items(items)
    return [item.id for item in items]


@pytest.fixture
def both_readers_work(server: Server) -> Iterator[None]:
    """Afterwards each of the two rank processes has done its part."""
    readers = [psutil.Process(server.pids()[f"penchant_rank_0_{n}"]) for n in range(2)]
    before = [sum(reader.cpu_times()[:2]) for reader in readers]
    yield
    worked = [
        sum(reader.cpu_times()[:2]) - start for reader, start in zip(readers, before, strict=True)
    ]
    assert min(worked) > 0.1 * max(worked)


@pytest.mark.usefixtures("both_readers_work")
def test_the_next_ranking_uses_the_acked_event_in_every_reader(
    penchant: Penchant, films: list[str]
) -> None:
    def alternate(user: str) -> int:
        misses = 0
        for version in range(1, ROUNDS + 1):
            liked = films[version % len(films)]
            ack = penchant.feedback([Event(user=user, item=liked, signal="like")])
            assert ack.state_version(user) == version
            ranking = penchant.rank(user, candidates=films)  # Which asks for no version.
            misses += ranking.state_version != version
        return misses

    with ThreadPoolExecutor(THREADS) as threads:
        users = [unique("user") for _ in range(THREADS)]
        assert list(threads.map(alternate, users)) == [0] * THREADS


def test_the_latest_like_weighs_most_in_the_very_next_score(
    penchant: Penchant, films: list[str]
) -> None:
    user = unique("user")
    for film in films * 5:
        like = Event(user=user, item=film, signal="like")
        penchant.feedback([like])
        (ranked,) = penchant.rank(user, candidates=[film], explain=True).items
        assert ranked.explanation is not None
        weightiest = ranked.explanation.contributions[0]
        assert (weightiest.event_id, weightiest.item) == (like.event_id, film)
        assert weightiest.share > 0


def test_an_item_is_rankable_in_every_reader_once_it_is_put(penchant: Penchant) -> None:
    for _ in range(50):
        item = Item(unique("film"), SPACE[0])
        penchant.put_items([item])
        for _ in range(3):  # An idle server gives them to its readers in turn.
            assert penchant.rank("anybody", candidates=[item.id]).ids == (item.id,)
        penchant.delete_items([item.id])
        for _ in range(3):
            assert penchant.rank("anybody", candidates=[item.id]).ids == ()


def test_the_asynchronous_client_reads_its_writes(server: Server, films: list[str]) -> None:
    async def alternate(penchant: AsyncPenchant, user: str) -> None:
        for version in range(1, 51):
            event = Event(user=user, item=films[version % len(films)], signal="click")
            ack = await penchant.feedback([event])
            assert ack.state_version(user) == version
            ranking = await penchant.rank(user, candidates=films)
            assert ranking.state_version == version

    async def together() -> None:
        async with AsyncPenchant(server.target, timeout_s=60.0) as penchant:
            await asyncio.gather(*(alternate(penchant, unique("user")) for _ in range(8)))

    asyncio.run(together())
