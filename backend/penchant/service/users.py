"""Users: read the record, export the log, forget."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from penchant.catalog.item_biases import ItemBiasTable
from penchant.domain.errors import StoreUnavailable, UserNotFound
from penchant.domain.event_weights import fold_time, time_bucket
from penchant.domain.limits import Limits, check_id, check_range
from penchant.domain.types import Interest, LogRow, UserState, Window
from penchant.domain.window import empty_record
from penchant.service.clock import Clock
from penchant.service.item_counts import withdraw
from penchant.service.live_offsets import LiveOffsets
from penchant.service.reservation_ledger import ReservationLedger
from penchant.service.user_interest import Catalogs, interest_of
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.counters import add_recounted
from penchant.store.ledgers import read_ledger
from penchant.store.newest import read_newest
from penchant.store.users import delete_user, holds_user, read_log, read_user

log = logging.getLogger("penchant")


@dataclass(frozen=True, slots=True)
class UserView:
    """A user's record with its interest and the ids of its items."""

    user: str
    state_version: int
    window: Window
    """Oldest event first."""
    items: list[str]
    """The item of each event; empty for a deleted item."""
    catalog_version: int
    interest: Interest


@dataclass(frozen=True, slots=True)
class ExportUserRequest:
    """A page of a user's log."""

    user: str
    after_version: int
    """The page begins with the next state version."""
    limit: int
    """Rows of the page, at most."""


@dataclass(frozen=True, slots=True)
class LogPage:
    """A part of a user's log, by state version."""

    rows: list[LogRow]
    next_after_version: int
    """`after_version` of the next page; 0 on the last page."""
    state_version: int


def check_user(user: str, limits: Limits) -> str:
    """The user; raises InvalidRequest if the id breaks the contract."""
    check_id("user", user, limits)
    return user


def check_export(request: ExportUserRequest, limits: Limits) -> ExportUserRequest:
    """The request; raises InvalidRequest if it breaks the contract."""
    check_id("user", request.user, limits)
    check_range("limit", request.limit, limits.export_rows)
    return request


class UserService:
    """Answers requests about one user."""

    def __init__(
        self, store: Store, catalogs: Catalogs, clock: Clock, item_biases: ItemBiasTable
    ) -> None:
        """Makes the service; `item_biases` need not hold counters yet."""
        self._store = store
        self._catalogs = catalogs
        self._clock = clock
        self._half_life_s = item_biases.half_life_s
        self._live_offsets = LiveOffsets(store, catalogs, item_biases)

    def get(self, user: str) -> UserView:
        """The user's record; raises UserNotFound."""
        with self._store.snapshot() as snapshot:
            state = _require(snapshot, user)
            view = self._catalogs.read(snapshot).shown_to(user)
            fold_us = fold_time(self._clock(), read_newest(snapshot))
        interest, _ = interest_of(state, view, time_bucket(fold_us, view.settings))
        window = state.record.window
        alive = view.items_of(window).known.tolist()
        numbers = window["item"].tolist()
        items = [view.ids[n] if known else "" for n, known in zip(numbers, alive, strict=True)]
        version = state.record.state_version
        return UserView(user, version, window, items, view.head.version, interest)

    def export(self, request: ExportUserRequest) -> LogPage:
        """A page of the user's log, empty for a user who has reservations alone.

        Cost: reads the whole log.

        Raises:
            UserNotFound: nothing is kept, neither an event nor a reservation.
        """
        after = request.after_version
        with self._store.snapshot() as snapshot:
            state = _require_any(snapshot, request.user)
            rows = [row for row in read_log(snapshot, request.user) if row.state_version > after]
        page = rows[: request.limit]
        more = len(rows) > request.limit
        return LogPage(page, page[-1].state_version if more else 0, state.record.state_version)

    def forget(self, user: str) -> int:
        """Deletes everything kept about the user, durably; returns the number of log rows.

        What the user added to items' counters and only reserved from budgets is taken back; money
        that shown impressions have spent stays spent. Rankings see it when this returns.

        Raises:
            UserNotFound: nothing is kept, neither an event nor a reservation.
        """
        with self._store.transaction() as transaction:
            if not holds_user(transaction, user):
                raise _not_found(user)
            items = withdraw(transaction, user, self._half_life_s)
            ledger = ReservationLedger(transaction, self._clock())
            ledger.give_back(user)
            ledger.write()
            rows = delete_user(transaction, user)
            noted = _noted(transaction, items)
        if not noted:  # A full store takes new rows only once the user's are gone.
            with self._store.transaction() as transaction:
                _noted(transaction, items)
        self._live_offsets.publish(items, self._clock())
        return rows


def _noted(transaction: Transaction, items: list[int]) -> bool:
    """Tells the process of feedback which counters to read again, if the store has room."""
    try:
        add_recounted(transaction, items)
    except StoreUnavailable as error:
        log.warning("%s; the process of feedback will read %d counters late", error, len(items))
        return False
    return True


def _require(snapshot: Snapshot, user: str) -> UserState:
    state = read_user(snapshot, user)
    if state is None:
        raise _not_found(user)
    return state


def _not_found(user: str) -> UserNotFound:
    return UserNotFound(f"user: no event of {user[:64]!r} was ever accepted")


def _require_any(snapshot: Snapshot, user: str) -> UserState:
    """Like `_require`, but a user may have reservations alone; the state is then empty."""
    if len(read_ledger(snapshot, user)):
        return read_user(snapshot, user) or UserState(empty_record())
    return _require(snapshot, user)
