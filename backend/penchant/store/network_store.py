"""What a store in a network offers beside the protocol of all stores.

Its servers share it, so it knows who uses it, gives leases, keeps files that are no rows, and
settles what its users have added to counts.
"""

from __future__ import annotations

from typing import Protocol, cast

from penchant.store.base import Store
from penchant.system.shared_files import SharedFiles


class Lease(Protocol):
    """What one process of all servers can hold at a time; it expires unless it is renewed."""

    def take(self, note: str) -> bool:
        """Takes it and keeps it renewed, unless another has it; raises StoreUnavailable."""
        ...

    def holder(self) -> str:
        """What its holder noted; empty: nobody has it; raises StoreUnavailable."""
        ...

    def end(self) -> None:
        """Lets go of it."""
        ...


class Durability(Protocol):
    """What the servers of the store are configured for."""

    @property
    def promise(self) -> str:
        """What a commit survives, in words."""
        ...


class NetworkStore(Store, Protocol):
    """A store in a network."""

    @property
    def files(self) -> SharedFiles:
        """Files that the servers of this store share; they are no rows."""
        ...

    @property
    def durability(self) -> Durability:
        """What its servers are configured for."""
        ...

    def lease(self, name: str) -> Lease:
        """A lease, not held yet."""
        ...

    def announce(self, who: str) -> None:
        """Says that this process writes to it; raises StoreUnavailable."""
        ...

    def users(self) -> list[str]:
        """The other processes that write to it; raises StoreUnavailable."""
        ...

    def settle(self, *, everyone: bool = False) -> None:
        """Applies all operands; with `everyone`, looks at every user; raises StoreUnavailable."""
        ...

    def unsettled(self) -> int:
        """Users with operands that are not applied; raises StoreUnavailable."""
        ...

    def forget_settled(self) -> None:
        """Drops the notes by users' names of what is applied; all must be, and nobody may write."""
        ...

    def tenants(self) -> list[str]:
        """The tenants that have stores beside it, by name; raises StoreUnavailable."""
        ...

    def note_tenant(self, name: str) -> None:
        """Adds a tenant's name; raises StoreUnavailable."""
        ...


def in_network(store: Store) -> NetworkStore:
    """A store whose address, or whose `shared`, says that it is one in a network."""
    return cast(NetworkStore, store)
