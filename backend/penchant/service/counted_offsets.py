"""The items' counters in the memory of feedback's process, and the live offsets made from them."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np

from penchant.catalog.item_biases import CountedItems, ItemBiasFile, ItemBiasTable
from penchant.catalog.view import CatalogView
from penchant.domain.errors import StoreUnavailable
from penchant.domain.limits import AHEAD_US
from penchant.domain.tally import Tally
from penchant.domain.types import CatalogHead, Counters
from penchant.service.clock import Clock
from penchant.service.clock_evidence import ClockEvidence
from penchant.service.item_counts import ANY_TIME, recount
from penchant.service.meter import Meter
from penchant.service.user_interest import Catalogs
from penchant.store.base import Store, Transaction
from penchant.store.conflict_retries import in_transaction
from penchant.store.counters import (
    UNREADABLE,
    counters_of_row,
    read_counters,
    scan_counters,
    take_recounted,
)
from penchant.store.item_contributions import any_contribution
from penchant.store.items import read_head
from penchant.store.keys import Kind

log = logging.getLogger("penchant")

_OLD_COUNTERS = (
    "the counters of items were made by an older release, which counted events, not users; "
    "`penchant rebuild counters` makes them again from the log, while the server runs"
)

_AHEAD = "events in the store are ahead of the machine's clock and count as of now"


@runtime_checkable
class _TellsChanges(Protocol):
    """A store that says which counters changed, whichever server changed them."""

    def changed_counts(self, cursor: Any) -> tuple[Any, list[tuple[bytes, bytes | None]]]:
        """The rows of counts that changed since a call that returned a cursor, and the next one."""
        ...


class CountedOffsets:
    """Follows the store's counters, and shows rankings the offsets. Safe in threads."""

    def __init__(
        self,
        store: Store,
        catalogs: Catalogs,
        item_biases: ItemBiasTable,
        clock: Clock,
        meter: Meter,
        installed_us: int = 0,
    ) -> None:
        """Reads all counters, and writes the offsets.

        Args:
            store: the server's.
            catalogs: the catalogs.
            item_biases: an empty table.
            clock: of the server.
            meter: counts doubts of the clock.
            installed_us: when this program was installed, in microseconds since 1970; 0: unknown.
        """
        self._store = store
        self._item_biases = item_biases
        self._evidence = ClockEvidence(store, clock, installed_us)
        self._meter = meter
        self._lock = threading.RLock()
        self._said: set[str] = set()
        self._changes: Any = None
        """Cursor of what the table has heard of, where the store tells changes."""
        self._file = ItemBiasFile(catalogs.directory, item_biases)
        self._all_due = False
        """Whether all offsets are to be written at the next commit."""
        view: CatalogView | None = None
        with store.snapshot() as snapshot:
            old_release = not any_contribution(snapshot)
            counters = dict(scan_counters(snapshot))
            head = read_head(snapshot)
            if head.version:
                with contextlib.suppress(StoreUnavailable):  # Missing files are mended elsewhere.
                    view = catalogs.read(snapshot).served
        self._rows = head.rows
        """Items whose counters the table holds."""
        if counters and old_release:
            log.warning(_OLD_COUNTERS)
        for number in [one for one, found in counters.items() if found is UNREADABLE]:
            counters[number] = in_transaction(store, self._recounting(number))
        item_biases.set(counters.items())
        if view is not None:
            self._follow_version(view)
        self.latest(clock())
        self._file.publish(head.generation, head.rows)  # Whatever a crash left there.

    @property
    def half_life_s(self) -> float:
        """Seconds after which a contribution to the counters counts half."""
        return self._item_biases.half_life_s

    @property
    def newest_us(self) -> int:
        """Time of the newest event that was ever counted, in microseconds since 1970."""
        return self._item_biases.newest_us

    def latest(self, now_us: int) -> int:
        """The latest time that an event in the store may have; later ones count as of it.

        Where it is the clock that is behind (`ClockEvidence`), times in the store stay as they are.
        """
        limit_us = now_us + AHEAD_US
        with self._lock:
            self._item_biases.limit(limit_us)
            if self._item_biases.newest_us <= limit_us:
                self._evidence.settled()
                return ANY_TIME
            behind = self._evidence.clock_is_behind(limit_us, self._item_biases)
            cause = "the machine's clock is behind the events in the store" if behind else _AHEAD
            if cause not in self._said:
                self._said.add(cause)
                self._meter.clock_doubt("store_ahead")
                ahead_s = (self._item_biases.newest_us - now_us) / 1e6
                log.error(
                    "%s: the newest is %.0f s ahead of it; set the clock right", cause, ahead_s
                )
            return ANY_TIME if behind else limit_us

    def read(self, transaction: Transaction, view: CatalogView) -> set[int]:
        """Reads counters that came or were changed elsewhere; returns the numbers of the latter."""
        with self._lock:
            self._follow_version(view)
            for number in range(self._rows, view.head.rows):
                self._item_biases.set([(number, read_counters(transaction, number))])
            recounted = take_recounted(transaction)
            if recounted:  # They may have been the newest.
                self._item_biases.set(
                    (number, read_counters(transaction, number)) for number in recounted
                )
                self._item_biases.look_for_newest()
            return recounted

    def publish(
        self,
        head: CatalogHead,
        tally: Tally | None,
        elsewhere: Mapping[int, Counters],
        unwritten: Collection[str] = (),
        plain: CountedItems | None = None,
    ) -> None:
        """Shows rankings the counters after a commit.

        Args:
            head: of the served catalog.
            tally: of the batch; None: it had none.
            elsewhere: counters that were changed elsewhere, as of the batch, by number. Where there
                are some, all offsets are written at once; else the touched ones, and the others
                within a second.
            unwritten: users of the batch whose events were not written.
            plain: counters that the compiled module has counted, before the tally.
        """
        with self._lock:
            self._item_biases.set(elsewhere.items())
            changed = [np.arange(self._rows, head.rows)]
            if plain is not None:
                self._item_biases.set_counted(plain)
                changed.append(plain.numbers)
            if tally is not None:
                counters = tally.counters_without(unwritten)
                self._item_biases.set(counters.items())
                changed.append(np.fromiter(counters, np.int64, len(counters)))
            touched = None if elsewhere or self._all_due else np.concatenate(changed)
            self._all_due = False
            self._file.publish(head.generation, head.rows, touched)
            self._rows = head.rows

    def follow(self) -> None:
        """Reads what other servers counted, and shows rankings all offsets.

        Cost: the counters that changed since the last call where the store tells them, else all;
        and 1 ms for 100,000 items.

        Raises:
            StoreUnavailable: the store can't be read.
        """
        cursor, counters = self._changes, list[tuple[int, Counters]]()
        with self._store.snapshot() as snapshot:
            head = read_head(snapshot)
            if isinstance(self._store, _TellsChanges):
                cursor, rows = self._store.changed_counts(self._changes)
                own = [(key, row) for key, row in rows if key[0] == Kind.COUNTERS]
                counters = [counters_of_row(key, row) for key, row in own]
            else:
                counters = list(scan_counters(snapshot))
        with self._lock:
            self._changes = cursor
            self._item_biases.set(counters)
            self._file.publish(head.generation, head.rows)

    def _follow_version(self, view: CatalogView) -> None:
        """Makes the offsets of what a new version says that items earned lately."""
        if self._item_biases.follow_version(view.head.version, view.frozen.recent):
            self._all_due = True

    def _recounting(self, number: int) -> Callable[[Transaction], Counters]:
        return lambda transaction: recount(transaction, number, self._item_biases.half_life_s)
