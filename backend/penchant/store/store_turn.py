"""A job that one process at a time may do for a store: a lock beside it, or a lease in it.

The lock is on a file in the directory of a store in LMDB. A store in a network has no directory
that all its servers reach, but an engine that gives leases.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from penchant.store.address import directory_of
from penchant.store.base import Store
from penchant.store.network_store import Lease, in_network
from penchant.system.turn_file import TurnTaken, turn_file, turn_note

_ASK_EVERY_S = 0.5


@contextmanager
def store_turn(address: str, job: str, wait_s: float, store: Store | None = None) -> Iterator[None]:
    """Holds the turn to do a job for a store during the body; it ends when this process dies.

    Args:
        address: of the store.
        job: a word.
        wait_s: seconds to wait for whoever has the turn.
        store: the open store, which gives leases if it is one in a network.

    Raises:
        TurnTaken: somebody still has it; the text names the process.
        StoreUnavailable: the lock's file can't be made, or the store does not answer.
    """
    place = directory_of(address)
    if place is not None:
        with turn_file(place / f"{job}.lock", wait_s):
            yield
        return
    assert store is not None  # Who has a turn in a network has the store open.
    with _leased(in_network(store).lease(job), wait_s):
        yield


@contextmanager
def _leased(lease: Lease, wait_s: float) -> Iterator[None]:
    """Holds a lease during the body; raises TurnTaken if somebody else does."""
    deadline = time.monotonic() + wait_s
    while not lease.take(turn_note()):
        if time.monotonic() >= deadline:
            raise TurnTaken(lease.holder() or "another process")
        time.sleep(_ASK_EVERY_S)
    try:
        yield
    finally:
        lease.end()
