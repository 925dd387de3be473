"""How long do several writers of one user wait for each other on Valkey, and is it fair?

`python -m benchmarks.valkey_writers`: 2, 8 and 32 writers feed events of one user through the
services, each on an open store of its own, in up to four processes, as fast as they are
acknowledged. A row says how many attempts an event took, how long it took, and how many events the
slowest and the fastest writer got in. With `--busy N`, so many processes compute beside them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from multiprocessing.synchronize import Barrier
from multiprocessing.synchronize import Event as Signal
from pathlib import Path
from typing import Any

import numpy as np

from penchant.domain.errors import StoreUnavailable
from penchant.domain.types import Event
from penchant.store.base import Store, Transaction
from penchant.store.open import open_store
from tests.support.histories import FILMS
from tests.support.valkey_servers import durability, valkey_server
from tests.support.world import World, liked

PROCESSES = 4
USER = "wanted"


def _opened(address: str) -> Store:
    while True:
        with contextlib.suppress(StoreUnavailable):  # A busy machine may take a second.
            return open_store(address)


class AttemptCounter:
    """A store that counts its transactions."""

    def __init__(self, address: str) -> None:
        self.engine = _opened(address)
        self.transactions = 0

    def transaction(self) -> AbstractContextManager[Transaction]:
        """See `Store.transaction`."""
        self.transactions += 1
        return self.engine.transaction()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)


class Writer:
    """Feeds one event after the other; an event that is refused is sent again, as the SDK does."""

    def __init__(self, address: str, directory: Path, name: str) -> None:
        self.store = AttemptCounter(address)
        self.world = World(directory, store=self.store)
        self.name = name
        self.took: list[tuple[int, float]] = []
        """Of each event: attempts, and seconds to its acknowledgement."""
        self.refused = 0

    def write_until(self, end_s: float) -> None:
        """Feeds until a time of the monotonic clock."""
        while time.monotonic() < end_s:
            event = liked(f"{self.name}/{len(self.took)}", "toy", user=USER)
            began_s, before = time.monotonic(), self.store.transactions
            while not self._fed(event):
                self.refused += 1
            attempts = self.store.transactions - before
            self.took.append((attempts, time.monotonic() - began_s))

    def _fed(self, event: Event) -> bool:
        try:
            self.world.feed(event)
        except StoreUnavailable:
            return False
        return True


def _write(
    address: str, directory: Path, names: list[str], seconds: float, barrier: Barrier, results: Any
) -> None:
    writers = [
        Writer(address, Path(shutil.copytree(directory, f"{directory}-{name}")), name)
        for name in names
    ]
    barrier.wait()
    end_s = time.monotonic() + seconds
    threads = [threading.Thread(target=one.write_until, args=(end_s,)) for one in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in writers:
        results.put((one.took, one.refused))
        one.store.engine.close()


def _compute(stop: Signal) -> None:
    while not stop.is_set():
        sum(range(10_000))


@contextlib.contextmanager
def _busy(processes: int) -> Iterator[None]:
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    others = [context.Process(target=_compute, args=(stop,)) for _ in range(processes)]
    for other in others:
        other.start()
    try:
        yield
    finally:
        stop.set()
        for other in others:
            other.join()


def measured(address: str, directory: Path, writers: int, seconds: float) -> dict[str, object]:
    """What so many writers of one user saw."""
    context = multiprocessing.get_context("spawn")
    count = min(PROCESSES, writers)
    barrier, results = context.Barrier(count), context.Queue()
    names = [f"{writers}w{number}" for number in range(writers)]
    processes = [
        context.Process(
            target=_write,
            args=(address, directory, names[n::count], seconds, barrier, results),
        )
        for n in range(count)
    ]
    for process in processes:
        process.start()
    found = [results.get() for _ in range(writers)]
    for process in processes:
        process.join()
    events = sorted(len(took) for took, _ in found)
    attempts = np.array([tries for took, _ in found for tries, _ in took])
    waits_ms = np.array([1000 * wait_s for took, _ in found for _, wait_s in took])
    return {
        "writers": writers,
        "events_per_s": round(sum(events) / seconds, 1),
        "events_of_a_writer": [events[0], events[-1]],
        "attempts": [round(float(np.quantile(attempts, q)), 1) for q in (0.5, 0.99, 1)],
        "ms": [round(float(np.quantile(waits_ms, q)), 1) for q in (0.5, 0.99, 1)],
        "refused": sum(refused for _, refused in found),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writers", type=int, nargs="+", default=[2, 8, 32])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--busy", type=int, default=2, help="processes that compute meanwhile")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        catalog = Path(place) / "catalog"
        catalog.mkdir()
        with valkey_server(Path(place) / "valkey", *durability("everysec")) as node:
            address = f"valkey://{node.name}/writers?timeout_ms=10000"  # Slow is not refused.
            with contextlib.closing(open_store(address)) as store:
                World(catalog, store=store).put(**FILMS)
            with _busy(options.busy):
                for writers in options.writers:
                    row = measured(address, catalog, writers, options.seconds)
                    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
