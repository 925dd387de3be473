"""The beginning of work on a store: it must not have moved, and in a network others are told."""

from __future__ import annotations

from penchant.domain.errors import StoreUnavailable
from penchant.store.address import is_network, shown
from penchant.store.base import Store
from penchant.store.move_note import MOVING, refuse_moved
from penchant.store.network_store import in_network
from penchant.store.server_claim import this_server


def use_store(address: str, store: Store, server_pid: int, *, writes: bool) -> None:
    """Begins to use a store.

    Args:
        address: of the store.
        store: the open engine.
        server_pid: process of the server, or of the job, that uses it.
        writes: whether it writes, so that a move must wait for its end.

    Raises:
        ConfigError: the store has moved, or is an unfinished copy.
        StoreUnavailable: a job has it for itself in this moment, or it does not answer.
    """
    if is_network(address) and writes:
        shared = in_network(store)
        # Before the look at the lease: see `penchant.launch.move_turns`.
        shared.announce(str(this_server(server_pid)))
        mover = shared.lease(MOVING).holder()
        if mover:
            raise StoreUnavailable(
                f"store: {mover} has {shown(address)} for itself; wait until that has ended"
            )
    refuse_moved(address, store)
