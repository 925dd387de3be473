"""Shipping as one job: ship what is new, rewrite files, trim the log behind itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from typing import Annotated

from cyclopts import Parameter

from penchant.domain.errors import ConfigError, StateCorrupt
from penchant.domain.pseudonyms import name_of
from penchant.launch.model_parameters import DEFAULT_STORE
from penchant.launch.server_store import ServerSettings, ServerStore, open_server_store
from penchant.logs.shipped.recount import CLOCKS_DIFFER_US
from penchant.logs.shipped.shipped_place import folder_of, open_place
from penchant.refresh.expire import Expired, expire_store
from penchant.service.clock import Clock, system_clock
from penchant.shipping.rewritten_files import RewrittenFiles, rewrite_files
from penchant.shipping.shipper import ShippedReport, Shipper
from penchant.store.address import directory_of
from penchant.store.base import Store, Transaction
from penchant.store.conflict_retries import in_transaction
from penchant.store.ship_notes import (
    delete_shipping,
    read_notes,
    read_shipping,
    write_shipping,
)
from penchant.store.store_turn import store_turn
from penchant.store.users import read_whole_log
from penchant.system.apart import check_outside
from penchant.system.interval import Interval
from penchant.system.option_types import STORE_IN_USE, Flag
from penchant.system.progress import Progress, no_progress
from penchant.system.turn_file import TurnTaken

TURN_S = 120.0
"""Seconds to wait for another process that ships the same store."""


class ShippingUnderWay(ConfigError):
    """Another process is shipping the log of the store.

    Cause: a `penchant ship --every` or another `penchant ship` works on the same store; the message
    names the process.
    Remedy: wait for it; if it is stopped, let it go on or end it, which loses nothing.
    """


@dataclass(frozen=True, slots=True)
class ShipRequest:
    """The store whose log is shipped, where to, and what else to do there."""

    _: KW_ONLY
    store: Annotated[str, STORE_IN_USE] = DEFAULT_STORE
    """Store of the server: lmdb:DIRECTORY or valkey://…/NAMESPACE."""
    to: Annotated[
        str, Parameter(metavar="URL", show_default=lambda _: "where the store ships to already")
    ] = ""
    """Place of the files: a folder, or any address of fsspec such as s3://bucket/log."""
    trim_older: Interval = None
    """Delete from the store what is shipped and happened longer ago than this, such as 30d."""
    compact: Flag = False
    """Rewrite the files: rows of forgotten users go, and each day's files become one."""
    end: Flag = False
    """Ship no more: the store takes no more notes for it, and the files stay as they are."""
    settings: ServerSettings = ()
    """A setting, if it is not the one that the server keeps in the store; repeatable."""

    def __post_init__(self) -> None:
        folder, its = folder_of(self.to), directory_of(self.store)
        if self.to and folder is not None and its is not None:
            check_outside(folder, "--to", its, "the store")


@dataclass(frozen=True, slots=True)
class ShipResult:
    """The outcome of one run, or of one look of many."""

    url: str
    report: ShippedReport
    rewritten: RewrittenFiles | None = None
    """What rewriting changed; None: it was not asked for."""
    trimmed: Expired | None = None
    """What was deleted from the store; None: it was not asked for."""


def ship(
    request: ShipRequest, progress: Progress = no_progress, clock: Clock = system_clock
) -> ShipResult:
    """Ships what is new in a store's log, beside a server or without one.

    Raises:
        ConfigError: there is no store, the place holds another log, or an option is wrong.
        LaunchError: the store's address or a setting can't be read.
        ShippingUnderWay: another process has been shipping the store for `TURN_S`.
        StoreUnavailable: the store can't be read or written.
    """
    with shipped_store(request) as server:
        progress("Shipping the log", 0.0)
        shipper = Shipper(server.store, open_place(place_of(request, server.store), "--to"), clock)
        return look(server, shipper, request, progress)


def look(
    server: ServerStore, shipper: Shipper, request: ShipRequest, progress: Progress = no_progress
) -> ShipResult:
    """Does all that a request asks for once; the caller holds the turn."""
    report = shipper.look()
    progress("Shipping the log", 1.0)
    rewritten = rewrite_files(shipper, progress) if request.compact else None
    trimmed = None
    if request.trim_older is not None:
        until_us = shipper.clock() - round(request.trim_older * 1e6)
        trimmed = trim_shipped(server, shipper, until_us, progress)
    return ShipResult(shipper.place.url, report, rewritten, trimmed)


def trim_shipped(
    server: ServerStore, shipper: Shipper, until_us: int, progress: Progress = no_progress
) -> Expired:
    """Deletes the events up to a moment whose rows are all in the files, as `penchant expire` does.

    A user of whom an old row is not shipped yet is left to the next look.
    """
    in_transaction(server.store, _note_trims)  # Before the first event is gone.
    state, cursors, looked_at_us = shipper.state, shipper.cursors, shipper.looked_at_us
    renewed = _RenewedUsers(state.next_note)

    def is_shipped(transaction: Transaction, user: str) -> bool:
        shipping, cursor = read_shipping(transaction), cursors.get(user, 0)
        if shipping is None or shipping.done != state.token or shipping.losses != state.losses:
            return False
        old = [
            row for row in read_whole_log(transaction, user) if row.event.occurred_at_us <= until_us
        ]
        if any(row.state_version > cursor for row in old):
            return False
        if transaction.shared:
            # A note of this moment may not be here yet. Versions that have begun again since the
            # look belong to rows that were accepted since.
            return all(row.accepted_at_us < looked_at_us - CLOCKS_DIFFER_US for row in old)
        return not old or user not in renewed.until(transaction, shipping.next_note)

    return expire_store(server, until_us, shipper.clock(), progress, is_shipped)


def _note_trims(transaction: Transaction) -> None:
    """Tells whoever reads the store's log that the files hold what it lacks."""
    shipping = read_shipping(transaction)
    if shipping is not None and not shipping.trims:
        write_shipping(transaction, dataclasses.replace(shipping, trims=True))


class _RenewedUsers:
    """The users whose state versions may have begun again since a note."""

    def __init__(self, next_note: int) -> None:
        self._next_note = next_note
        self._names: set[str] = set()

    def until(self, transaction: Transaction, end: int) -> _RenewedUsers:
        """With the notes up to a position."""
        if end != self._next_note:
            self._names |= {note.name for note in read_notes(transaction, self._next_note)}
            self._next_note = end
        return self

    def __contains__(self, user: str) -> bool:
        return name_of(user) in self._names


def end_shipping(request: ShipRequest) -> str:
    """Ends the shipping of a store; returns where it went to, as far as it can be read.

    Raises:
        ConfigError: the store's log is not shipped.
        ShippingUnderWay: another process ships it.
    """
    with shipped_store(request) as server:
        try:
            url = _url_of(server.store)
        except StateCorrupt:  # Ending it is the remedy.
            url = "its place, whose name can't be read"
        in_transaction(server.store, delete_shipping)
        return url


@contextmanager
def shipped_store(request: ShipRequest) -> Iterator[ServerStore]:
    """Opens the store of a request, and holds the turn to ship it; see `ship`."""
    with (
        open_server_store(request.store, request.settings) as server,
        ship_turn(request.store, server.store),
    ):
        yield server


@contextmanager
def ship_turn(address: str, store: Store, wait_s: float = TURN_S) -> Iterator[None]:
    """Holds the turn to ship a store's log during the body; see `store_turn`.

    Raises:
        ShippingUnderWay: another process has it; the text names the process.
        StoreUnavailable: the lock's file can't be made, or the store does not answer.
    """
    try:
        with store_turn(address, "ship", wait_s, store):
            yield
    except TurnTaken as holder:
        raise ShippingUnderWay(
            f"ship: {holder} is shipping this store; wait for it, since only one process at a time "
            "can ship a log"
        ) from None


def place_of(request: ShipRequest, store: Store) -> str:
    """Where a request ships to.

    Raises:
        ConfigError: neither it nor the store says so.
    """
    return request.to or _url_of(store)


def _url_of(store: Store) -> str:
    with store.snapshot() as snapshot:
        shipping = read_shipping(snapshot)
    if shipping is None:
        raise ConfigError("--to: got none, and this store's log is not shipped yet; name a place")
    return shipping.url
