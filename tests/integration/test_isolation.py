"""Who waits for whom: slow work holds up nobody, and texts of many callers are encoded together."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count

import pytest

from penchant.launch import Server
from penchant_sdk import Item, Penchant
from tests.contracts.client_world import unique
from tests.integration.test_metrics import named, settled

pytestmark = pytest.mark.server

_BUSY_CALLERS = 2
_TIMED = 60


def seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def long_query(number: int) -> str:
    """A text that was never encoded before, long enough to be slow."""
    return f"{unique('query')} {number} " + "a long tale of a lighthouse by the sea " * 12


def test_queries_that_wait_for_the_encoder_do_not_hold_up_plain_rankings(
    penchant: Penchant,
) -> None:
    film = Item(unique("film"), "A film about a lighthouse")
    penchant.put_items([film])

    def plain() -> object:
        return penchant.rank("plain", candidates=[film.id])

    stop, slow = threading.Event(), []

    def query() -> None:
        for number in count():
            if stop.is_set():
                return
            text = long_query(number)
            ask = partial(penchant.rank, "slow", candidates=[film.id], query=text)
            slow.append(seconds(ask))

    with ThreadPoolExecutor(_BUSY_CALLERS) as threads:
        waiting = [threads.submit(query) for _ in range(_BUSY_CALLERS)]
        try:
            times = [seconds(plain) for _ in range(_TIMED)]
            while len(slow) < 10:
                times.append(seconds(plain))
        finally:
            stop.set()
        for future in waiting:
            future.result()
    # Behind a query in the same process it would take as long as the query.
    assert statistics.median(times) < 0.5 * statistics.median(slow)


def test_texts_of_many_callers_are_encoded_together(server: Server, penchant: Penchant) -> None:
    callers = 32
    penchant.put_items([Item(unique("film"), unique("text"))])  # Without any, no query is encoded.
    before = settled(server)
    barrier = threading.Barrier(callers)

    def ask(number: int) -> None:
        barrier.wait()
        penchant.rank("anybody", k=1, query=long_query(number), timeout_s=30.0)

    with ThreadPoolExecutor(callers) as threads:
        list(threads.map(ask, range(callers)))
    texts = named("penchant_encoder_batch_texts_sum", model="penchant_encoder")
    runs = named("penchant_encoder_batch_texts_count", model="penchant_encoder")
    after = settled(server)
    assert after[texts] - before[texts] == callers
    assert after[runs] - before[runs] <= callers / 2


def test_a_text_is_encoded_once(server: Server, penchant: Penchant) -> None:
    """Of items: for good, whatever is put in between. Of queries: while it is remembered."""
    text, query = unique("text"), unique("query")
    first, second = Item(unique("film"), text), Item(unique("film"), text)
    assert penchant.put_items([first]).encoded == 1
    assert penchant.put_items([second]).encoded == 0
    penchant.delete_items([first.id])
    assert penchant.put_items([first]).encoded == 0
    before = settled(server)
    for _ in range(5):
        penchant.rank("anybody", candidates=[first.id], query=query)
    texts = named("penchant_encoder_batch_texts_sum", model="penchant_encoder")
    assert settled(server)[texts] - before[texts] == 1
