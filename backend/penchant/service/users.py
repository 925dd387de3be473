"""Users: read the record, export the log, forget."""

from __future__ import annotations

from dataclasses import dataclass

from penchant.domain.errors import UserNotFound
from penchant.domain.event_weights import time_bucket
from penchant.domain.types import Interest, LogRow, UserState, Window
from penchant.service.clock import Clock
from penchant.service.user_interest import Catalogs, interest_of
from penchant.store.base import Snapshot, Store
from penchant.store.ledgers import read_ledger
from penchant.store.users import delete_user, read_log, read_user


@dataclass(frozen=True, slots=True)
class UserView:
    """A user's record with its interest and the names of its items."""

    state_version: int
    window: Window
    """Oldest first."""
    items: list[str]
    """The item of each event; empty where it was deleted."""
    catalog_version: int
    interest: Interest


@dataclass(frozen=True, slots=True)
class LogPage:
    """A part of a user's log, by state version."""

    rows: list[LogRow]
    next_after_version: int
    """0: this was the last page."""
    state_version: int


class UserService:
    """Answers what concerns one user by name."""

    def __init__(self, store: Store, catalogs: Catalogs, clock: Clock) -> None:
        self._store = store
        self._catalogs = catalogs
        self._clock = clock

    def get(self, user: str) -> UserView:
        """The user's record; raises UserNotFound."""
        with self._store.snapshot() as snapshot:
            state = _require(snapshot, user)
            view = self._catalogs.read(snapshot).shown_to(user)
        interest, _ = interest_of(state, view, time_bucket(self._clock(), view.settings))
        window = state.record.window
        alive = view.items_of(window).known.tolist()
        numbers = window["item"].tolist()
        items = [view.ids[n] if known else "" for n, known in zip(numbers, alive, strict=True)]
        return UserView(state.record.state_version, window, items, view.head.version, interest)

    def export(self, user: str, after_version: int, limit: int) -> LogPage:
        """A page of the user's log; raises UserNotFound. Cost: reads the whole log."""
        with self._store.snapshot() as snapshot:
            state = _require(snapshot, user)
            rows = [row for row in read_log(snapshot, user) if row.state_version > after_version]
        page = rows[:limit]
        more = len(rows) > limit
        return LogPage(page, page[-1].state_version if more else 0, state.record.state_version)

    def forget(self, user: str) -> int:
        """Deletes all that is kept of the user, durably; returns how many log rows there were.

        Raises:
            UserNotFound: nothing is kept.
        """
        with self._store.transaction() as transaction:
            if not len(read_ledger(transaction, user)):  # Who only has reservations goes as well.
                _require(transaction, user)
            return delete_user(transaction, user)


def _require(snapshot: Snapshot, user: str) -> UserState:
    state = read_user(snapshot, user)
    if state is None:
        raise UserNotFound(f"user: no event of {user[:64]!r} was ever accepted")
    return state
