"""How many users' records does a store take and give in a second, on LMDB and on Valkey?

`python -m benchmarks.valkey_throughput`: both in one run, in turns, on one machine and one disk,
each syncing its log before a commit counts (LMDB as always, Valkey with `appendfsync always`). A
transaction is what a batch of feedback writes for 32 users: records of 4.5 kB, rows of the log,
contributions, counters of 1,000 items, the newest time and the number of events. A reading is what
a batch of rankings reads for 32 users.

With `--clients N`, so many processes write at once; LMDB lets them take turns.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import statistics
import tempfile
import time
from pathlib import Path

from penchant.domain.user_contribution import UserContribution
from penchant.store.accepted_events import merge_accepted
from penchant.store.base import Store, WriteConflict
from penchant.store.counters import change_counters
from penchant.store.item_contributions import read_contribution, write_contribution
from penchant.store.keys import Kind, encode
from penchant.store.newest import raise_newest
from penchant.store.open import open_store
from tests.support.valkey_servers import durability, valkey_cluster, valkey_server

BATCH, USERS, ITEMS, RECORD_BYTES = 32, 20_000, 1000, 4500
HALF_LIFE_S = 14 * 86400.0
_RECORD = os.urandom(RECORD_BYTES)


def write_batch(store: Store, chance: random.Random) -> None:
    """Writes one event for each of 32 users; once more for those that another was faster at."""
    users = chance.sample(range(USERS), BATCH)
    left = {f"user{number}": chance.getrandbits(60) for number in users}
    while left:
        try:
            _write(store, left, chance)
            return
        except WriteConflict as conflict:
            left = {user: left[user] for user in conflict.users or left}


def _write(store: Store, events: dict[str, int], chance: random.Random) -> None:
    items = {user: chance.randrange(ITEMS) for user in events}
    with store.transaction() as transaction:
        keys = {
            user: (
                encode(Kind.USER, user),
                encode(Kind.LOG, user, events[user]),
                encode(Kind.CONTRIBUTION, items[user], user),
            )
            for user in events
        }
        transaction.fetch([key for mine in keys.values() for key in mine])
        for user, (record, row, _) in keys.items():
            transaction.get(record)
            if transaction.get(row) is not None:
                continue
            item, now_us = items[user], time.time_ns() // 1000
            old = read_contribution(transaction, item, user)
            new = UserContribution(1.0, 1.0, 1.0, now_us)
            transaction.put(record, _RECORD[:-60] + bytes(user.rjust(60), "ascii"))
            transaction.put(row, bytes(200))
            write_contribution(transaction, item, user, new)
            change_counters(transaction, item, old, new, HALF_LIFE_S, user)
            raise_newest(transaction, now_us, user)
            merge_accepted(transaction, 1, user)


def read_batch(store: Store, chance: random.Random) -> None:
    """Reads the records of 32 users, and what every ranking reads."""
    users = [f"user{number}" for number in chance.sample(range(USERS), BATCH)]
    keys = [encode(Kind.USER, user) for user in users]
    shared = [encode(Kind.HEAD), encode(Kind.ROLLOUT), encode(Kind.NEWEST)]
    with store.snapshot() as snapshot:
        snapshot.fetch([*keys, *shared])
        for key in (*keys, *shared):
            snapshot.get(key)


def rate(store: Store, seed: int, seconds: float, *, writes: bool) -> float:
    """Users a second, as one client writes or reads them."""
    chance, batches, began = random.Random(seed), 0, time.perf_counter()
    while (took := time.perf_counter() - began) < seconds:
        (write_batch if writes else read_batch)(store, chance)
        batches += 1
    settle = getattr(store, "settle", None)
    if writes and settle is not None:
        settle()  # What others must still do is not done.
        took = time.perf_counter() - began
    return BATCH * batches / took


def _client(address: str, seed: int, seconds: float, writes: bool) -> float:
    store = open_store(address)
    try:
        return rate(store, seed, seconds, writes=writes)
    finally:
        store.close()


def rates(address: str, clients: int, seed: int, seconds: float, *, writes: bool) -> float:
    """Users a second of all clients, each a process of its own."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(clients) as pool:
        pool.starmap(_client, [(address, 0, 0.05, False)] * clients)  # All are up.
        jobs = [(address, seed * 100 + number, seconds, writes) for number in range(clients)]
        return sum(pool.starmap(_client, jobs, chunksize=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--cluster", action="store_true", help="six nodes instead of one server")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        directory, always = Path(place) / "valkey", durability("always")
        with contextlib.ExitStack() as servers:
            if options.cluster:
                cluster = servers.enter_context(valkey_cluster(directory, *always))
                address = cluster.address_of("bench") + "?wait=1"
            else:
                server = servers.enter_context(valkey_server(directory, *always))
                address = f"valkey://{server.name}/bench"
            addresses = {"lmdb": f"lmdb:{place}/lmdb", "valkey": address}
            found: dict[str, list[float]] = {}
            for number in range(options.rounds):
                for writes in (True, False):
                    for engine, one in addresses.items():
                        name = f"{engine} {'writes' if writes else 'reads'}"
                        got = rates(one, options.clients, number, options.seconds, writes=writes)
                        found.setdefault(name, []).append(got)
            for what in ("writes", "reads"):
                pairs = zip(found[f"valkey {what}"], found[f"lmdb {what}"], strict=True)
                ratio = statistics.median(mine / peer for mine, peer in pairs)
                medians = {
                    engine: round(statistics.median(found[f"{engine} {what}"]))
                    for engine in addresses
                }
                print(json.dumps({what: medians, "ratio": round(ratio, 2), **vars(options)}))


if __name__ == "__main__":
    main()
