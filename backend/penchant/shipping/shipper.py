"""Ships a store's log to a place, commit by commit, each row once whenever the process dies.

The order of one commit, and what the next run finds after a kill at each step:

1. a snapshot gives the rows and changes that no commit holds: nothing has happened
2. the store notes the token of the commit to be made: nothing has happened
3. the files of rows: strays, which are removed
4. the commit's own file: the commit is made; the store does not know it, so that the rows of the
   store are told from those of the files by their content (`recount`)
5. the store notes the commit, and the notes that it answers go

Where several servers write, the turn is a lease, which a process that was stopped for long may have
lost without knowing. Its commit is then refused: no commit's file is ever written twice, and the
store takes note of the last commit that was begun alone.
"""

from __future__ import annotations

import dataclasses
import io
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq

from penchant.domain.errors import ConfigError, StoreUnavailable
from penchant.logs.shipped.pending_changes import read_pending, unanswered
from penchant.logs.shipped.pending_rows import IsShipped, PendingRows, pending_rows
from penchant.logs.shipped.recount import (
    NO_TOKEN,
    lost_marks,
    needs_recount,
    shipped_rows_by_content,
)
from penchant.logs.shipped.ship_cursors import Cursors, encoded_cursors, read_cursors
from penchant.logs.shipped.shipped_place import ShippedPlace
from penchant.logs.shipped.shipped_schema import by_day
from penchant.logs.shipped.shipped_state import (
    ShippedCommit,
    ShippedFile,
    ShippedMark,
    ShippedState,
    read_state,
    remove_strays,
    write_checkpoint,
    write_commit,
)
from penchant.service.clock import Clock, system_clock
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.conflict_retries import in_transaction
from penchant.store.ship_notes import (
    Erasure,
    ShipNote,
    ShippingState,
    delete_notes,
    read_erasure,
    read_notes,
    read_shipping,
    write_erasure,
    write_shipping,
)
from penchant.system.redacted_address import redacted

log = logging.getLogger("penchant")

COMMIT_ROWS = 1_000_000
"""Rows after which a commit ends, with the whole log of its last user: about 100 MB of memory."""

CHECKPOINT_COMMITS = 32
"""Commits after which readers need not read the earlier ones."""


@dataclass(slots=True)
class ShippedReport:
    """The outcome of one look, or of one rewriting."""

    rows: int = 0
    files: int = 0
    forgotten: int = 0
    """Users who were forgotten since the last look, and whom no reader sees any more."""
    strays: int = 0
    """Files of a killed run that were removed."""
    recounted: bool = False
    """Whether rows were told from shipped ones by their content."""
    sequence: int = 0
    """Number of the last commit."""


@dataclass(slots=True)
class Shipper:
    """Ships one store's log to one place; holds its turn (`ship_turn`) meanwhile."""

    store: Store
    place: ShippedPlace
    clock: Clock = system_clock
    commit_rows: int = COMMIT_ROWS
    _state: ShippedState | None = None
    _cursors: Cursors = field(default_factory=dict)
    _recounting: bool = False
    _done: str = NO_TOKEN
    """Token of the last commit that the store knows to be made, as this process left it."""
    _looked_at_us: int = 0
    _left_notes: tuple[int, ...] = ()
    """Positions of notes that are answered, and that the store still held at the last reading."""

    @property
    def looked_at_us(self) -> int:
        """When the last look began."""
        return self._looked_at_us

    @property
    def state(self) -> ShippedState:
        """The shipped log as of the last commit."""
        assert self._state is not None
        return self._state

    @property
    def cursors(self) -> Cursors:
        """State versions up to which each user's log is shipped."""
        return self._cursors

    def look(self) -> ShippedReport:
        """Ships all that is new.

        Raises:
            ConfigError: the place holds another log, or can't be read.
            StoreUnavailable: the store can't be read or written. Whatever is raised, the next look
                goes on from the last commit.
        """
        report = ShippedReport()
        self._looked_at_us = self.clock()
        try:
            self._attach(report)
            self._ship(report)
        except BaseException:
            self._state = None  # What was worked out may be ahead of what was committed.
            raise
        report.sequence = self.state.sequence
        return report

    def commit(
        self,
        added: Sequence[tuple[str, pa.Table]] = (),
        kept: Sequence[ShippedFile] = (),
        removed: Sequence[str] = (),
        pending: PendingRows | None = None,
        *,
        rewritten: bool = False,
        recounting: bool = False,
        losses: int | None = None,
    ) -> ShippedCommit:
        """Makes one commit: the store's token, the files, the commit, the store's note of it.

        Args:
            added: days, and rows to write for them.
            kept: files whose rows the marks so far leave as they are.
            removed: names of files that are no part of the log afterwards.
            pending: the changes that the rows come with.
            rewritten: whether the rows are those of the files that are removed.
            recounting: whether a later commit says which rows are shipped.
            losses: the store's count of lost notes; None: as before.

        Raises:
            StoreUnavailable: another process ships this store, or the store can't be written.
        """
        state, token = self.state, secrets.token_hex(16)
        sequence = state.sequence + 1
        shipping = in_transaction(self.store, partial(self._begin, token))
        files = [self._write(day, table, sequence) for day, table in added]
        marks = () if pending is None else tuple(pending.marks)
        commit = ShippedCommit(
            place=shipping.place,
            sequence=sequence,
            token=token,
            at_us=self.clock(),
            added=(*files, *(dataclasses.replace(file, sequence=sequence) for file in kept)),
            removed=tuple(removed),
            marks=tuple(dataclasses.replace(mark, sequence=sequence) for mark in marks),
            lowered=() if pending is None else tuple(pending.lowered),
            next_note=self._next_note(pending),
            notes=self._answered(pending),
            recounting=recounting,
            rewritten=rewritten,
            losses=state.losses if losses is None else losses,
        )
        try:
            write_commit(self.place, commit)
        except FileExistsError as error:
            raise _overtaken() from error
        before = [mark for mark in state.marks if mark.kind == "forgotten"]
        state.apply(commit)
        in_transaction(self.store, partial(self._acknowledge, commit, before))
        self._done = token
        return commit

    def checkpoint(self) -> None:
        """Writes the state as one file, and removes the commits behind it."""
        if not self.state.recounting:
            write_checkpoint(self.place, self.state, encoded_cursors(self._cursors))

    def _attach(self, report: ShippedReport) -> None:
        """Reads the state of both sides, unless an earlier look has."""
        with self.store.snapshot() as snapshot:
            shipping = read_shipping(snapshot)
        if self._state is not None and shipping is not None and self._is_known(shipping):
            return
        state = read_state(self.place)
        shipping = self._attached(shipping, state)
        self._state, self._done = state, shipping.done
        report.strays = remove_strays(self.place, state, dead=not self.store.shared)
        self._recounting = needs_recount(state, shipping)
        self._cursors = {} if self._recounting else read_cursors(self.place, state)

    def _is_known(self, shipping: ShippingState) -> bool:
        return not needs_recount(self.state, shipping)

    def _begin(self, token: str, transaction: Transaction) -> ShippingState:
        shipping = self._shipping(transaction)
        if shipping.done != self._done:
            raise _overtaken()
        write_shipping(transaction, dataclasses.replace(shipping, begun=token))
        return shipping

    def _next_note(self, pending: PendingRows | None) -> int:
        """Where notes come in their order: the first that no commit has answered."""
        if pending is None or self.store.shared or not pending.notes:
            return self.state.next_note
        return pending.notes[-1].position + 1

    def _answered(self, pending: PendingRows | None) -> tuple[int, ...]:
        """Where they don't: those that are answered, and were in the store a moment ago."""
        if pending is None or not self.store.shared:
            return self.state.notes
        return (*self._left_notes, *(note.position for note in pending.notes))

    def _attached(self, shipping: ShippingState | None, state: ShippedState) -> ShippingState:
        """The store's row of this place, written if it is new.

        Raises:
            ConfigError: the place and the store do not belong together.
        """
        url = self.place.url
        here, there = redacted(url), "" if shipping is None else redacted(shipping.url)
        if shipping is None and state.sequence:
            raise ConfigError(
                f"--to: {here} holds a log that this store did not ship; name an empty place"
            )
        if shipping is None:
            now_us = self.clock()
            # A note of an earlier shipping may still be on its way, and needs a place of its own.
            first = now_us if self.store.shared else 0
            shipping = ShippingState(
                secrets.token_hex(16), url, NO_TOKEN, NO_TOKEN, first, 0, now_us
            )
        elif state.sequence and shipping.place != state.place:
            raise ConfigError(f"--to: {here} holds another log; this store ships to {there}")
        elif not state.sequence and shipping.done != NO_TOKEN:
            raise ConfigError(
                f"--to: {here} holds no log, and this store ships to {there}; move its files to "
                "the new place first, or end that shipping with --end, which leaves them alone"
            )
        elif shipping.url == url:
            return shipping
        made = dataclasses.replace(shipping, url=url)

        def write(transaction: Transaction) -> ShippingState:
            now = read_shipping(transaction)  # Servers may have added notes.
            here = made if now is None else dataclasses.replace(now, url=url)
            write_shipping(transaction, here)
            return here

        return in_transaction(self.store, write)

    def _ship(self, report: ShippedReport) -> None:
        start, left_out = "", False
        losses, lost = self.state.losses, list[ShippedMark]()
        if self._recounting:
            report.recounted = True
            with self.store.snapshot() as snapshot:
                shipping = self._shipping(snapshot)
                notes = unanswered(self.state, read_notes(snapshot))
                losses = shipping.losses
                lost = lost_marks(snapshot, self.state, shipping, notes)
        rows_by_content = _RowsByContent()
        while True:
            attempt = partial(self._pending, start, lost, rows_by_content)
            _, pending = read_pending(self.store, attempt)
            pending.move(self._cursors)
            pending.marks, lost = [*pending.marks, *lost], []
            last, left_out = pending.next_user is None, left_out or pending.left_out
            if not pending.empty or pending.notes or (last and self._recounting):
                commit = self.commit(
                    list(by_day(pending.table)),
                    pending=pending,
                    recounting=self._recounting and not last,
                    losses=losses if last else None,
                )
                report.rows += pending.table.num_rows
                report.files += len(commit.added)
                report.forgotten += sum(mark.kind == "forgotten" for mark in commit.marks)
            if last and self._recounting:
                self._recounting = False
                self.checkpoint()
            elif len(self.state.since) >= CHECKPOINT_COMMITS:
                self.checkpoint()
            if last:
                break
            start = str(pending.next_user)
        if not left_out:
            in_transaction(self.store, self._note_time)

    def _pending(
        self,
        start: str,
        lost: Sequence[ShippedMark],
        rows: _RowsByContent,
        snapshot: Snapshot,
        notes: Sequence[ShipNote],
    ) -> tuple[None, PendingRows]:
        """What the next commit adds."""
        known = set(self.state.notes)
        self._left_notes = tuple(note.position for note in notes if note.position in known)
        new, is_shipped = unanswered(self.state, notes), None
        if self._recounting:
            is_shipped = rows.test(self.place, self.state, new, lost)
        pending = pending_rows(snapshot, self._cursors, new, start, self.commit_rows, is_shipped)
        return None, pending

    def _note_time(self, transaction: Transaction) -> None:
        shipping = self._shipping(transaction)
        if shipping.done == self._done:
            write_shipping(transaction, dataclasses.replace(shipping, at_us=self.clock()))

    def _write(self, day: str, table: pa.Table, sequence: int) -> ShippedFile:
        """Writes one file of rows."""
        name = f"date={day}/part-{sequence:010d}-{secrets.token_hex(4)}.parquet"
        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression="zstd")
        content = buffer.getvalue()
        self.place.write(name, content)
        times = table["occurred_at"].cast(pa.int64()).to_numpy()
        first, last = int(times.min()), int(times.max())
        return ShippedFile(name, table.num_rows, len(content), first, last, sequence)

    def _acknowledge(
        self, commit: ShippedCommit, before: list[ShippedMark], transaction: Transaction
    ) -> None:
        """Notes a commit in the store, with what it says of forgotten users."""
        left = {mark.receipt for mark in self.state.marks}
        shipping = self._shipping(transaction)
        if shipping.begun != commit.token:
            raise _overtaken()
        write_shipping(transaction, dataclasses.replace(shipping, done=commit.token))
        delete_notes(transaction, commit.next_note, commit.notes)
        write = partial(_write_erasure, transaction)
        for mark in commit.marks:
            if mark.kind == "forgotten":
                write(mark, commit.at_us, 0 if mark.receipt in left else commit.at_us)
        for mark in before:
            if mark.receipt not in left:
                write(mark, 0, commit.at_us)

    def _shipping(self, snapshot: Snapshot) -> ShippingState:
        shipping = read_shipping(snapshot)
        if shipping is None:
            raise ConfigError("ship: the shipping of this store was ended meanwhile")
        return shipping


class _RowsByContent:
    """The test of rows by their content, made anew where notes have come."""

    def __init__(self) -> None:
        self._notes: set[int] | None = None
        self._test: IsShipped = lambda row: False

    def test(
        self,
        place: ShippedPlace,
        state: ShippedState,
        notes: Sequence[ShipNote],
        lost: Sequence[ShippedMark],
    ) -> IsShipped:
        """See `shipped_rows_by_content`."""
        positions = {note.position for note in notes}
        if self._notes is None or not positions <= self._notes:
            # Notes may say that shipped rows are gone.
            self._test = shipped_rows_by_content(place, state, notes, lost)
            self._notes = positions
        return self._test


def _overtaken() -> StoreUnavailable:
    return StoreUnavailable(
        "ship: another process has shipped this store meanwhile; the next look goes on from its "
        "last commit"
    )


def _write_erasure(
    transaction: Transaction, mark: ShippedMark, hidden_at_us: int, erased_at_us: int
) -> None:
    known = read_erasure(transaction, mark.name)
    if known is not None and known.receipt == mark.receipt:
        hidden_at_us = known.hidden_at_us
    elif not hidden_at_us:
        return  # The user was forgotten once more since.
    try:
        write_erasure(transaction, mark.name, Erasure(mark.receipt, hidden_at_us, erased_at_us))
    except StoreUnavailable as error:
        log.warning("%s; a receipt does not say how far its user is gone from shipped files", error)
