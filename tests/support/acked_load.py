"""A constant load on a store, with a ledger of what was acknowledged, checked afterwards.

Each event is sent until it is acknowledged, under the same id, as the SDK does. It writes a row of
the log, the user's record (the number of the user's events) and a contribution, and merges a
counter and the number of events.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from penchant.domain.errors import StoreUnavailable
from penchant.domain.types import Counters
from penchant.domain.user_contribution import UserContribution, added
from penchant.store.accepted_events import merge_accepted, read_accepted
from penchant.store.base import Store, WriteConflict
from penchant.store.conflict_retries import ConflictRetries
from penchant.store.counters import change_counters, read_counters
from penchant.store.item_contributions import (
    contributors,
    decode_contribution,
    read_contribution,
    write_contribution,
)
from penchant.store.keys import Kind, decode, encode
from penchant.store.open import open_store
from penchant.store.valkey.valkey_store import ValkeyStore

USERS = 24
HALF_LIFE_S = 3600.0
ITEM = 7
_LAST_TRIES_S = 20.0
_PATIENCE_MS = 60_000


@dataclass(slots=True)
class AckedLoad:
    """What was acknowledged, and what was not at once."""

    acked: dict[tuple[str, int], float] = field(default_factory=dict)
    """By user and event: the time of the acknowledgement."""
    unavailable: int = 0
    conflicts: int = 0
    longest_s: float = 0.0
    """Longest time from the first try of an event to its acknowledgement."""
    errors: list[BaseException] = field(default_factory=list)

    def longest_gap_s(self) -> float:
        """Longest time without any acknowledgement."""
        times = sorted(self.acked.values())
        return max((late - early for early, late in itertools.pairwise(times)), default=0.0)


@contextmanager
def acked_load(address: str, writers: int = 4, servers: int = 2) -> Iterator[AckedLoad]:
    """Loads a store during the block, from several threads on several open stores."""
    load, stop, numbers = AckedLoad(), threading.Event(), itertools.count()
    stores = [_opened(address) for _ in range(servers)]

    def write(store: Store) -> None:
        try:
            while not stop.is_set():
                number = next(numbers)
                _feed(store, f"u{number % USERS}", number, load, stop)
        except BaseException as error:  # noqa: BLE001 - the test shows it.
            load.errors.append(error)

    threads = [threading.Thread(target=write, args=(stores[n % servers],)) for n in range(writers)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        for store in stores:
            store.close()


def _opened(address: str) -> Store:
    """The store, once its servers have answered within the address's time limit."""
    until_s = time.monotonic() + _PATIENCE_MS / 1e3
    while True:
        try:
            return open_store(address)
        except StoreUnavailable:
            if time.monotonic() > until_s:
                raise


def _feed(store: Store, user: str, number: int, load: AckedLoad, stop: threading.Event) -> None:
    began_s, retries = time.monotonic(), ConflictRetries()
    while True:
        try:
            try:
                write_event(store, user, number)
            except WriteConflict as conflict:
                load.conflicts += 1
                retries.pause(conflict)
                continue
        except StoreUnavailable:
            load.unavailable += 1
            retries = ConflictRetries()
            if stop.is_set() and time.monotonic() - began_s > _LAST_TRIES_S:
                return  # Was never acknowledged.
            time.sleep(0.02)
        else:
            now = time.monotonic()
            load.acked[user, number] = now
            load.longest_s = max(load.longest_s, now - began_s)
            return


def write_event(store: Store, user: str, number: int) -> None:
    """Writes an event, unless it is known."""
    record, row = encode(Kind.USER, user), encode(Kind.LOG, user, number)
    with store.transaction() as transaction:
        transaction.fetch([record, row, encode(Kind.CONTRIBUTION, ITEM, user)])
        if transaction.get(row) is not None:
            return
        events = int(transaction.get(record) or b"0") + 1
        old = read_contribution(transaction, ITEM, user)
        new = UserContribution(0.1 * events, 1.0, 0.1 * events, as_of_us=1_000_000 * events)
        transaction.put(record, b"%d" % events)
        transaction.put(row, b"event")
        write_contribution(transaction, ITEM, user, new)
        change_counters(transaction, ITEM, old, new, HALF_LIFE_S, user)
        merge_accepted(transaction, 1, user)


def check_nothing_lost(address: str, load: AckedLoad) -> None:
    """Makes sure that each acknowledged event is there, and each event counted once."""
    assert load.errors == []
    # Not with the load's own time limit, within which a busy machine may not answer.
    store = open_store(f"{address.partition('?')[0]}?timeout_ms={_PATIENCE_MS}")
    assert isinstance(store, ValkeyStore)
    try:
        store.settle()
        with store.snapshot() as snapshot:
            rows = [decode(key)[1] for key, _ in snapshot.scan(encode(Kind.LOG))]
            kept = {(str(user), int(number)) for user, number in rows}
            assert set(load.acked) - kept == set(), "acknowledged, and lost"
            for key, value in snapshot.scan(encode(Kind.USER)):
                user = str(decode(key)[1][0])
                assert int(value) == sum(one == user for one, _ in kept), f"events of {user}"
            counted = read_accepted(snapshot)
            assert counted == len(kept), f"{counted} events counted, {len(kept)} kept"
            expected = Counters()
            for _, value in contributors(snapshot, ITEM):
                expected = added(expected, decode_contribution(value), HALF_LIFE_S)
            found = read_counters(snapshot, ITEM)
            assert found.exact == expected.exact, "counters"
    finally:
        store.close()
