"""Who may use a store while a job has it for itself.

Nobody writes to the target of a move, nor at the end to the source; nobody to a store whose users
get other names.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from penchant.domain.errors import StoreUnavailable
from penchant.store.address import directory_of, shown
from penchant.store.base import DEFAULT_MAP_BYTES, Store
from penchant.store.move_note import MOVING
from penchant.store.network_store import in_network
from penchant.store.open import open_store
from penchant.store.server_claim import ServerClaim, this_server


def settle_operands(source: Store, *, whole: bool = False) -> None:
    """Has what users share settled, so that it is in the rows.

    Raises:
        StoreUnavailable: some of it is not settled, though all shall be.
    """
    if not source.shared:
        return
    store = in_network(source)
    store.settle(everyone=whole)
    left = store.unsettled() if whole else 0
    if left:
        raise StoreUnavailable(
            f"store: what {left:,} users have added to counters and budgets is not applied yet; "
            "wait a minute, in which any process that has the store open does it, and run this "
            "again"
        )


@contextmanager
def receiving(target: str) -> Iterator[Store]:
    """The target, kept from servers and from other moves during the body.

    Raises:
        StoreUnavailable: a server uses it, or another move.
    """
    place = directory_of(target)
    with ExitStack() as held:
        if place is not None:
            held.callback(ServerClaim(place, this_server(os.getpid())).close)
        store = held.enter_context(opened_store(target, DEFAULT_MAP_BYTES))
        if place is None:
            held.enter_context(_alone("--to", target, store))
            settle_operands(store, whole=True)
        yield store


@contextmanager
def nobody_writes(source: str, store: Store) -> Iterator[None]:
    """Keeps servers and jobs from writing to the source during the body.

    Raises:
        StoreUnavailable: one does; the text names it.
    """
    place = directory_of(source)
    with ExitStack() as held:
        if place is None:
            held.enter_context(_alone("--from", source, store))
        else:
            held.callback(ServerClaim(place, this_server(os.getpid())).close)
            held.enter_context(store.transaction())  # Jobs beside a server wait for their turn.
        yield


@contextmanager
def stopped(source: str) -> Iterator[None]:
    """Makes sure that the source's servers are stopped; see `nobody_writes`, which follows."""
    with ExitStack() as held:
        place = directory_of(source)
        if place is None:
            with opened_store(source) as store, _alone("--from", source, store):
                pass
        else:
            held.callback(ServerClaim(place, this_server(os.getpid())).close)
        yield


@contextmanager
def servers_stopped(option: str, address: str, store: Store, job: str) -> Iterator[None]:
    """Keeps servers from a store during the body, and from one in a network other jobs as well.

    Args:
        option: that names the store.
        address: of the store.
        store: the open store.
        job: whose body it is, as others shall name it.

    Raises:
        StoreUnavailable: one uses it; the text names it.
    """
    place = directory_of(address)
    with ExitStack() as held:
        if place is None:
            held.enter_context(_alone(option, address, store, job))
        else:
            held.callback(ServerClaim(place, this_server(os.getpid())).close)
        yield


@contextmanager
def _alone(
    option: str, address: str, store: Store, job: str = "`penchant migrate`"
) -> Iterator[None]:
    """Holds the lease of moves on a store in a network that nobody else uses.

    A server announces itself before it looks at the lease, and this takes the lease before it looks
    at who has announced himself: one of both is refused.
    """
    used = in_network(store)
    lease = used.lease(MOVING)
    if not lease.take(f"{job}, {this_server(os.getpid())}"):
        raise StoreUnavailable(
            f"{option}: {lease.holder() or 'another process'} has {shown(address)} for itself; "
            "wait for it, or 30 s if it was killed"
        )
    try:
        users = used.users()
        if users:
            raise StoreUnavailable(
                f"{option}: {shown(address)} is in use by {', '.join(users)}; stop that, and "
                "run this again (one that was killed counts for 30 s)"
            )
        yield
    finally:
        lease.end()


@contextmanager
def opened_store(address: str, map_bytes: int = 0) -> Iterator[Store]:
    """The store at an address, closed after the body; see `penchant.store.open.open_store`."""
    store = open_store(address, map_bytes=map_bytes)
    try:
        yield store
    finally:
        store.close()
