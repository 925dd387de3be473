"""Makes one user of two, in one transaction: a visitor who signs in takes everything along.

What is kept about a user is a function of that user's events and reservations, so the union of both
logs gives what one user would have had from the start: window, own items, contributions to items'
counters, in which one user counts once, and the ledger. The rows of the log move too, so that a
rebuild, a replay and a refresh see the same.

Two events under one id are one event if their content is the same, since callers send an event
again under its id; else the moved one gets another id (`moved_event_id`).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from penchant.domain import user_contribution
from penchant.domain.errors import InvalidRequest
from penchant.domain.limits import Limits, check_id
from penchant.domain.merged_records import merged_record, moved_event_id
from penchant.domain.retired_signals import RetiredSignals
from penchant.domain.rewards import SignalTable
from penchant.domain.tally import Tally
from penchant.domain.types import Event, LogRow, Record, UserState
from penchant.domain.user_contribution import UserContribution, added, withdrawn
from penchant.domain.window import digest64, empty_record
from penchant.service.item_counts import readable_contribution, sound_counters
from penchant.service.merged_reservations import merge_reservations
from penchant.service.rebuilt_records import rebuild_user
from penchant.store.base import Snapshot, Transaction
from penchant.store.counters import write_counters
from penchant.store.item_contributions import delete_contribution, write_contribution
from penchant.store.items import read_item
from penchant.store.ledgers import write_ledger
from penchant.store.owned import read_owned, write_owned
from penchant.store.users import (
    delete_user,
    holds_user,
    read_event,
    read_user,
    read_whole_log,
    write_event,
    write_user,
)


@dataclass(frozen=True, slots=True)
class MergeUsersRequest:
    """The two users."""

    from_user: str
    """Nothing is kept of this one."""
    to_user: str


@dataclass(frozen=True, slots=True)
class MergedUsers:
    """The outcome of a merge."""

    moved_events: int
    state_version: int
    """Of the user that is kept; 0: neither has events."""


def check_merge(request: MergeUsersRequest, limits: Limits) -> MergeUsersRequest:
    """The request; raises InvalidRequest if it breaks the contract."""
    check_id("from_user", request.from_user, limits)
    check_id("to_user", request.to_user, limits)
    if request.from_user == request.to_user:
        raise InvalidRequest(
            f"to_user: got {request.to_user[:64]!r}, which is from_user too, expected another user"
        )
    return request


@dataclass(slots=True)
class _Moves:
    """What becomes of each event of the user that goes."""

    rows: list[LogRow] = field(default_factory=list)
    """Rows to write."""
    ids: dict[int, int] = field(default_factory=dict)
    """Digests of the moved events: now, by before."""
    same: set[str] = field(default_factory=set)
    """Items of the events that both users have."""
    earlier: bool = False
    """Whether one of these was earlier for the user that goes."""
    unpaired: list[LogRow] = field(default_factory=list)
    """Rows with a receipt whose place another row with one has."""


def merge(
    transaction: Transaction,
    request: MergeUsersRequest,
    signals: SignalTable,
    capacity: int,
    half_life_s: float,
) -> tuple[MergedUsers, list[int]]:
    """Moves everything, and deletes what is left of the user that goes.

    Args:
        transaction: commits all of it.
        request: the two users.
        signals: rewards of the signals.
        capacity: size of a window, in events.
        half_life_s: seconds after which a contribution counts half.

    Returns:
        The outcome, and the numbers of the items whose counters changed. Cost: reads and writes the
        log of the user that goes; reads the other's only if they share events.

    Raises:
        StateCorrupt, StateTooNew: something kept about one of them can't be read.
    """
    goes, stays = request.from_user, request.to_user
    state = read_user(transaction, stays)
    record = empty_record() if state is None else state.record
    if not holds_user(transaction, goes):
        return MergedUsers(0, record.state_version), []
    left = read_user(transaction, goes)
    rows = read_whole_log(transaction, goes)
    moves = _moves(transaction, rows, stays, record.state_version)
    for row in moves.rows:
        write_event(transaction, row)
    window = empty_record().window if left is None else left.record.window
    record = merged_record(record, window, moves.ids, capacity)
    if moves.earlier:
        log = read_whole_log(transaction, stays)
        window = rebuild_user(transaction, log, signals, capacity).record.window
        record = Record(record.state_version, window)
    owned = [*read_owned(transaction, goes).tolist(), *read_owned(transaction, stays).tolist()]
    ledger = merge_reservations(transaction, goes, stays, moves.unpaired)
    changed = _merge_contributions(transaction, request, rows, moves, signals, half_life_s)
    delete_user(transaction, goes)
    if record.state_version:
        write_user(transaction, stays, UserState(record))
    if owned:
        write_owned(transaction, stays, owned)
    if len(ledger):
        write_ledger(transaction, stays, ledger)
    return MergedUsers(len(moves.ids), record.state_version), changed


def _moves(snapshot: Snapshot, rows: list[LogRow], stays: str, version: int) -> _Moves:
    moves = _Moves()
    for row in rows:
        event = dataclasses.replace(row.event, user=stays)
        known = read_event(snapshot, stays, digest64(event.event_id))
        if known is not None and not _is_same(known.event, event):
            event = dataclasses.replace(
                event, event_id=moved_event_id(row.event.user, event.event_id)
            )
            known = read_event(snapshot, stays, digest64(event.event_id))
        if known is not None:
            moves.same.add(event.item)
            kept = known
            if event.occurred_at_us < known.event.occurred_at_us:
                moves.earlier = True
                kept = dataclasses.replace(kept, event=event)
            if row.receipt is not None and known.receipt is not None:
                moves.unpaired.append(row)
            elif row.receipt is not None:
                kept = dataclasses.replace(kept, receipt=row.receipt)
            if kept is not known:
                moves.rows.append(kept)
            continue
        moves.ids[digest64(row.event.event_id)] = digest64(event.event_id)
        version += 1
        moves.rows.append(dataclasses.replace(row, event=event, state_version=version))
    return moves


def _is_same(one: Event, other: Event) -> bool:
    """Whether two events of an id are one; only the time may differ, as at feedback."""
    return dataclasses.replace(one, occurred_at_us=other.occurred_at_us) == other


def _merge_contributions(
    transaction: Transaction,
    request: MergeUsersRequest,
    rows: list[LogRow],
    moves: _Moves,
    signals: SignalTable,
    half_life_s: float,
) -> list[int]:
    """Gives the user that stays the contributions of both; a user who liked twice counts once."""
    goes, stays = request.from_user, request.to_user
    recounted = _recounted(transaction, stays, moves.same, signals, half_life_s)
    changed = []
    for item in sorted({row.event.item for row in rows}):
        stored = read_item(transaction, item)
        if stored is None:
            continue
        number = stored.number
        gone = readable_contribution(transaction, number, goes)
        kept = readable_contribution(transaction, number, stays)
        delete_contribution(transaction, number, goes)
        if gone is None:
            continue
        both = recounted.get(number) or (
            gone if kept is None else user_contribution.merged(gone, kept, half_life_s)
        )
        write_contribution(transaction, number, stays, both)
        if kept is None and both == gone:
            continue  # One contribution, under another name: the item's counters stay.
        counters = sound_counters(transaction, number, half_life_s)
        for one in (gone, kept):
            if one is not None:
                counters = withdrawn(counters, one, half_life_s)
        write_counters(transaction, number, added(counters, both, half_life_s))
        changed.append(number)
    return changed


def _recounted(
    snapshot: Snapshot, user: str, items: set[str], signals: SignalTable, half_life_s: float
) -> dict[int, UserContribution]:
    """A user's contributions to some items by the log, where events must not count twice."""
    if not items:
        return {}
    tally, retired = Tally(half_life_s), RetiredSignals()
    for row in read_whole_log(snapshot, user):
        stored = read_item(snapshot, row.event.item) if row.event.item in items else None
        outcome = retired.resolve(signals, row.event)
        if stored is not None and outcome is not None:
            tally.count(user, stored.number, outcome, row.event.occurred_at_us)
    return {number: users[user] for number, users in tally.contributions.items()}
