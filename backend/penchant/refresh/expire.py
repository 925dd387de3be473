"""Retention: deletes events that happened longer ago than a store may keep them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Annotated

from cyclopts import Parameter

from penchant.catalog.item_biases import ItemBiasTable
from penchant.domain.errors import ConfigError, StateCorrupt
from penchant.launch.model_parameters import DEFAULT_STORE
from penchant.launch.server_store import ServerSettings, ServerStore, open_server_store
from penchant.service.clock import Clock, system_clock
from penchant.service.live_offsets import LiveOffsets
from penchant.service.trim_user import trim_user
from penchant.service.user_interest import Catalogs
from penchant.store.base import Store, Transaction
from penchant.store.counters import add_recounted
from penchant.store.items import item_keys
from penchant.store.newest import read_newest
from penchant.store.reservation_log import scan_reserving_users
from penchant.store.short_transactions import in_short_transactions
from penchant.store.users import read_items_until, scan_users_with_events_until
from penchant.system.option_types import STORE_IN_USE
from penchant.system.progress import Progress, no_progress

log = logging.getLogger("penchant")

DAY_US = 86_400_000_000
ROWS_AT_ONCE = 20_000
"""Rows of the log that are looked at in one snapshot, 0.2 s."""


@dataclass(frozen=True, slots=True)
class ExpireRequest:
    """The store, and how long its events may be kept."""

    _: KW_ONLY
    store: Annotated[str, STORE_IN_USE] = DEFAULT_STORE
    """Store of the server: lmdb:DIRECTORY or valkey://…/NAMESPACE."""
    days: Annotated[float | None, Parameter(show_default=False)] = None
    """Days after which events are deleted. Default: the store's setting retention_days."""
    settings: ServerSettings = ()
    """A setting, if it is not the one that the server keeps in the store; repeatable."""


@dataclass(slots=True)
class Expired:
    """What was deleted."""

    users: int = 0
    """Users who had something to delete."""
    events: int = 0
    reservations: int = 0
    unreadable: int = 0
    """Users of whom something can't be read; all of theirs stays."""
    waiting: int = 0
    """Users whose old events may not go yet."""
    items: set[int] = field(default_factory=set)
    """Numbers of the items whose counters changed."""

    def add(self, other: Expired) -> None:
        """Counts what was deleted of others."""
        self.users += other.users
        self.events += other.events
        self.reservations += other.reservations
        self.unreadable += other.unreadable
        self.waiting += other.waiting
        self.items |= other.items


def expire(
    request: ExpireRequest, progress: Progress = no_progress, clock: Clock = system_clock
) -> Expired:
    """Deletes old events of all users, in short transactions, beside a server or without one.

    Raises:
        ConfigError: there is no store, or neither an option nor a setting says how long.
        LaunchError: the store's address or a setting can't be read.
    """
    with open_server_store(request.store, request.settings) as server:
        days = server.config.retention_days if request.days is None else request.days
        if days <= 0:
            raise ConfigError(
                f"days: got {days:g}, expected more than 0; pass --days, or set retention_days"
            )
        return expire_store(server, clock() - round(days * DAY_US), clock(), progress)


def expire_if_due(server: ServerStore, now_us: int) -> Expired | None:
    """What the clock does once a day; None where nothing may be deleted.

    Where every event would go, the machine's clock may be wrong: that is left to the command.
    """
    days = server.config.retention_days
    if not days:
        return None
    until_us = now_us - round(days * DAY_US)
    with server.store.snapshot() as snapshot:
        newest_us = read_newest(snapshot)
    if newest_us is None:
        return None
    if newest_us <= until_us:
        log.error(
            "retention: every event is older than %g days; if the machine's clock is right, run "
            "`penchant expire`, which deletes them",
            days,
        )
        return None
    return expire_store(server, until_us, now_us)


MayTrim = Callable[[Transaction, str], bool]
"""Tells whether a user's old events may go; raises StateCorrupt."""


def _users_with_something_old(store: Store, until_us: int, progress: Progress) -> set[str]:
    """Users with an old event, and those with reservations; looks at a part of the log at a time.

    A snapshot that lasts would keep pages of an embedded store from being used again.
    """
    with store.snapshot() as snapshot:
        users = set(scan_reserving_users(snapshot))
    start: bytes | None = b""
    while start is not None:
        progress("Looking for old events", 0.0)
        with store.snapshot() as snapshot:
            some, start = scan_users_with_events_until(snapshot, until_us, start, ROWS_AT_ONCE)
        users |= some
    return users


def expire_store(
    server: ServerStore,
    until_us: int,
    now_us: int,
    progress: Progress = no_progress,
    may_trim: MayTrim = lambda transaction, user: True,
) -> Expired:
    """Deletes the events up to a moment. Cost: reads the whole log, 10 us an event.

    Only users who have something to delete, and those with reservations, cost a transaction.
    """
    config, store, found = server.config, server.store, Expired()
    users = sorted(_users_with_something_old(store, until_us, progress))

    def trim(transaction: Transaction, user: str) -> Expired:
        try:
            if not may_trim(transaction, user):
                return Expired(waiting=1)
            trimmed = trim_user(
                transaction,
                user,
                until_us,
                now_us,
                config.signals,
                config.fold.window_events,
                config.offset_half_life_s,
            )
        except StateCorrupt:
            return Expired(unreadable=1)
        if trimmed.items:
            add_recounted(transaction, trimmed.items)
        some = bool(trimmed.events or trimmed.reservations)
        one = Expired(int(some), trimmed.events, trimmed.reservations)
        one.items |= set(trimmed.items)
        return one

    def fetch(transaction: Transaction, some: Sequence[str]) -> None:
        transaction.fetch_users(some)
        old = read_items_until(transaction, some, until_us)
        transaction.fetch(item_keys(old))

    server.audit.note("expire", note=f"events up to {until_us}")
    # Counted once it is written: where another server was faster, a user is trimmed again.
    for one in in_short_transactions(store, users, trim, progress, "Deleting old events", fetch):
        found.add(one)
    if found.items:
        biases = ItemBiasTable(config.offset_half_life_s, config.offset_prior_impressions)
        catalogs = Catalogs(server.directory, config.fold)
        LiveOffsets(store, catalogs, biases).publish(found.items, now_us)
    return found
