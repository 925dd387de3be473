"""The beginning of work on a store: it must not have moved, and in a network others are told."""

from __future__ import annotations

from typing import Protocol, cast

from penchant.domain.errors import StoreUnavailable
from penchant.store.address import is_network, shown
from penchant.store.base import Store
from penchant.store.move_note import MOVING, refuse_moved
from penchant.store.server_claim import this_server


class HeldLease(Protocol):
    """A lease of a store in a network."""

    def take(self, note: str) -> bool:
        """Takes it, unless another process has it; raises StoreUnavailable."""
        ...

    def holder(self) -> str:
        """What its holder noted; empty: nobody has it; raises StoreUnavailable."""
        ...

    def end(self) -> None:
        """Lets go of it."""
        ...


class UsedByServers(Protocol):
    """A store in a network, as far as one needs to know who uses it."""

    def announce(self, who: str) -> None:
        """Says that this process writes to it; raises StoreUnavailable."""
        ...

    def users(self) -> list[str]:
        """The other processes that write to it; raises StoreUnavailable."""
        ...

    def settle(self) -> None:
        """Applies all operands; raises StoreUnavailable."""
        ...

    def unsettled(self) -> int:
        """Users with operands that are not applied; raises StoreUnavailable."""
        ...

    def lease(self, name: str) -> HeldLease:
        """A lease, not held yet."""
        ...


def use_store(address: str, store: Store, server_pid: int, *, writes: bool) -> None:
    """Begins to use a store.

    Args:
        address: of the store.
        store: the open engine.
        server_pid: process of the server, or of the job, that uses it.
        writes: whether it writes, so that a move must wait for its end.

    Raises:
        ConfigError: the store has moved, or is an unfinished copy.
        StoreUnavailable: it is being moved in this moment, or does not answer.
    """
    if is_network(address) and writes:
        shared = cast(UsedByServers, store)
        # Before the look at the lease: see `penchant.launch.migrate`.
        shared.announce(str(this_server(server_pid)))
        mover = shared.lease(MOVING).holder()
        if mover:
            raise StoreUnavailable(
                f"store: {shown(address)} is being moved by {mover}; wait until that has ended"
            )
    refuse_moved(address, store)
