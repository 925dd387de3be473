"""Users: read the record, export the log, forget, make one of two."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

from penchant.catalog.item_biases import ItemBiasTable
from penchant.domain.event_weights import fold_time, time_bucket
from penchant.domain.limits import Limits, check_id, check_range
from penchant.domain.pseudonyms import StoredName, called
from penchant.domain.rewards import SignalTable
from penchant.domain.tombstone import ForgetReceipt
from penchant.domain.types import Interest, LogRow, UserState, Window
from penchant.domain.window import empty_record
from penchant.service.clock import Clock
from penchant.service.forget_user import forget
from penchant.service.kept_data import KeptPage, KeptRequest, kept_in_slices, not_found
from penchant.service.live_offsets import LiveOffsets
from penchant.service.merge_users import MergedUsers, MergeUsersRequest, merge
from penchant.service.slices import whole
from penchant.service.user_interest import READ_BY_ALL, Catalogs, interest_of
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.conflict_retries import in_transaction
from penchant.store.counters import add_recounted
from penchant.store.keys import Kind, encode
from penchant.store.ledgers import read_ledger
from penchant.store.newest import read_newest
from penchant.store.users import read_user, scan_log

PAGE_ROWS = 1_000
"""Rows read for one page, at most; more would hold the process for too long."""
PAGE_BYTES = 1 << 20
"""Bytes of rows after which a page ends."""


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
class LogPosition:
    """Where a page of a log begins, in the order of the store."""

    start: int = 0
    """Digest of the first event's id, at least."""
    most_version: int | None = None
    """State version at the first page; later events are left out. None: this is the first page."""


@dataclass(frozen=True, slots=True)
class ExportUserRequest:
    """A page of a user's log."""

    user: str
    after_version: int
    """The page begins with the next state version."""
    limit: int
    """Rows of the page, at most."""
    page: LogPosition | None = None
    """Pages in the order of the store, from here on; None: by state version."""
    kept: KeptRequest | None = None
    """Given: what is kept beside the events, instead of them."""


@dataclass(frozen=True, slots=True)
class LogPage:
    """A part of a user's log."""

    rows: list[LogRow]
    state_version: int
    next_after_version: int = 0
    """`after_version` of the next page; 0 on the last page, or if pages have positions."""
    next_page: LogPosition | None = None
    """Position of the next page; None on the last page, or if pages have versions."""
    kept: KeptPage | None = None
    """What is kept beside the events, where it was asked for."""


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
        self,
        store: Store,
        catalogs: Catalogs,
        signals: SignalTable,
        clock: Clock,
        item_biases: ItemBiasTable,
    ) -> None:
        """Makes the service; `item_biases` need not hold counters yet."""
        self._store = store
        self._signals = signals
        self._catalogs = catalogs
        self._clock = clock
        self._half_life_s = item_biases.half_life_s
        self._live_offsets = LiveOffsets(store, catalogs, item_biases)

    def get(self, user: str) -> UserView:
        """The user's record; raises UserNotFound."""
        with self._store.snapshot() as snapshot:
            snapshot.fetch([*READ_BY_ALL, encode(Kind.USER, user)])
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
        """See `export_in_slices`, here without a pause."""
        return whole(self.export_in_slices(request))

    def export_in_slices(self, request: ExportUserRequest) -> Generator[None, None, LogPage]:
        """A page of the user's log, empty for a user who has reservations alone.

        Together, the pages by position hold the log as of the first page. Cost: a page by position
        reads its rows alone; one by version reads the whole log, and pauses now and then.

        Raises:
            UserNotFound: nothing is kept, neither an event nor a reservation.
        """
        if request.kept is not None:
            return LogPage([], 0, kept=(yield from self.kept_in_slices(request.kept)))
        with self._store.snapshot() as snapshot:
            version = _require_any(snapshot, request.user).record.state_version
            if request.page is not None:
                page = _page_at(snapshot, request, request.page, version)
            else:
                page = yield from _page_after(snapshot, request, version)
        return _as_called(page, request.user)

    def kept(self, request: KeptRequest) -> KeptPage:
        """See `kept_in_slices`, here without a pause."""
        return whole(self.kept_in_slices(request))

    def kept_in_slices(self, request: KeptRequest) -> Generator[None, None, KeptPage]:
        """What is kept about a user beside the events; see `penchant.service.kept_data`.

        Raises:
            UserNotFound: nothing is kept, not even a tombstone.
            StateCorrupt, StateTooNew: a row can't be read.
        """
        with self._store.snapshot() as snapshot:
            ids = self._catalogs.read(snapshot).served.ids
            return (yield from kept_in_slices(snapshot, request, ids))

    def forget(self, user: str) -> ForgetReceipt:
        """Deletes everything kept about the user; see `penchant.service.forget_user`."""
        receipt, items = forget(self._store, user, self._clock(), self._half_life_s)
        if items:
            self._live_offsets.publish(items, self._clock())
        return receipt

    def merge(self, request: MergeUsersRequest) -> MergedUsers:
        """Makes one user of two, durably; see `merge_users`. Rankings see it when this returns.

        Raises:
            StateCorrupt, StateTooNew: something kept about one of them can't be read; both stay.
            StoreUnavailable: nothing was moved.
        """

        def work(transaction: Transaction) -> tuple[MergedUsers, list[int]]:
            view = self._catalogs.read(transaction).served
            merged, items = merge(
                transaction, request, self._signals, view, self._half_life_s, self._clock()
            )
            if items:
                add_recounted(transaction, items)
            return merged, items

        merged, items = in_transaction(self._store, work)
        if items:
            self._live_offsets.publish(items, self._clock())
        return merged


def _page_at(
    snapshot: Snapshot, request: ExportUserRequest, page: LogPosition, version: int
) -> LogPage:
    most = version if page.most_version is None else page.most_version
    rows: list[LogRow] = []
    size = 0
    for read, (digest, row, bytes_) in enumerate(scan_log(snapshot, request.user, page.start)):
        if rows and (read >= PAGE_ROWS or len(rows) >= request.limit or size > PAGE_BYTES):
            return LogPage(rows, version, next_page=LogPosition(digest, most))
        if row.state_version <= most:
            rows.append(row)
            size += bytes_
    return LogPage(rows, version)


def _page_after(
    snapshot: Snapshot, request: ExportUserRequest, version: int
) -> Generator[None, None, LogPage]:
    later: list[tuple[LogRow, int]] = []
    for read, (_, row, bytes_) in enumerate(scan_log(snapshot, request.user), start=1):
        if row.state_version > request.after_version:
            later.append((row, bytes_))
        if read % PAGE_ROWS == 0:
            yield
    later.sort(key=lambda pair: pair[0].state_version)
    rows: list[LogRow] = []
    size = 0
    for row, bytes_ in later:
        if rows and (len(rows) >= request.limit or size > PAGE_BYTES):
            return LogPage(rows, version, next_after_version=rows[-1].state_version)
        rows.append(row)
        size += bytes_
    return LogPage(rows, version)


def _as_called(page: LogPage, user: str) -> LogPage:
    """A page whose rows name the user as the caller does."""
    if not isinstance(user, StoredName):
        return page
    rows = [replace(row, event=replace(row.event, user=called(user))) for row in page.rows]
    return replace(page, rows=rows)


def _require(snapshot: Snapshot, user: str) -> UserState:
    state = read_user(snapshot, user)
    if state is None:
        raise not_found(user)
    return state


def _require_any(snapshot: Snapshot, user: str) -> UserState:
    """Like `_require`, but a user may have reservations alone; the state is then empty."""
    if len(read_ledger(snapshot, user)):
        return read_user(snapshot, user) or UserState(empty_record())
    return _require(snapshot, user)
