"""Makes one user of two, in one transaction: a visitor who signs in takes everything along.

Over a network, the user that stays is written before the one that goes is deleted. A merge that
ends in between, and is made again, finds what it has moved, and moves the rest.

What is kept about a user is a function of that user's events and reservations, so the union of both
logs gives what one user would have had from the start: window, own items, contributions to items'
counters, in which one user counts once, and the ledger. The rows of the log move too, so that a
rebuild, a replay and a refresh see the same.

Two events under one id are one event if their content is the same, since callers send an event
again under its id; else the moved one gets another id (`moved_event_id`).
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from dataclasses import dataclass, field

from penchant.catalog.view import CatalogView
from penchant.domain import user_contribution
from penchant.domain.errors import InvalidRequest
from penchant.domain.frequency_caps import Ledger
from penchant.domain.frequency_caps import merged as merged_ledger
from penchant.domain.limits import Limits, check_id
from penchant.domain.merged_records import merged_record, moved_event_id
from penchant.domain.reservations import ReservedImpression
from penchant.domain.retired_signals import RetiredSignals
from penchant.domain.rewards import SignalTable
from penchant.domain.tally import Tally
from penchant.domain.types import LogRow, Record, UserState
from penchant.domain.user_contribution import UserContribution, added, withdrawn
from penchant.domain.window import digest64, empty_record
from penchant.service.item_counts import readable_contribution, sound_counters
from penchant.service.rebuilt_records import rebuild_user
from penchant.service.trim_user import trim_user
from penchant.store.base import Snapshot, Transaction
from penchant.store.counters import change_counters, write_counters
from penchant.store.item_contributions import (
    contribution_keys,
    delete_contribution,
    write_contribution,
)
from penchant.store.items import item_keys, read_sound_item
from penchant.store.ledgers import read_ledger, write_ledger
from penchant.store.owned import read_owned, write_owned
from penchant.store.reservation_log import (
    has_reserved,
    read_reserved,
    read_unlogged,
    scan_reserved,
    write_past_ledger,
    write_reserved,
)
from penchant.store.ship_notes import note_changed, note_merged
from penchant.store.tombstones import read_tombstone
from penchant.store.users import (
    count_events,
    delete_user,
    event_keys,
    holds_user,
    read_event,
    read_user,
    read_whole_log,
    write_event,
    write_user,
)

MOST_EVENTS = 50_000
"""Events of a user whose log a merge reads, at most: all other writers wait for its transaction."""


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


def merge(
    transaction: Transaction,
    request: MergeUsersRequest,
    signals: SignalTable,
    view: CatalogView,
    half_life_s: float,
    now_us: int,
) -> tuple[MergedUsers, list[int]]:
    """Moves everything, and deletes what is left of the user that goes.

    Events from before the user that stays was forgotten are deleted, not moved.

    Args:
        transaction: commits all of it.
        request: the two users.
        signals: rewards of the signals.
        view: the served catalog.
        half_life_s: seconds after which a contribution counts half.
        now_us: the server's time, in microseconds since 1970.

    Returns:
        The outcome, and the numbers of the items whose counters changed. Cost: reads and writes the
        log of the user that goes; reads the other's only if they share events.

    Raises:
        InvalidRequest: the log of the user that goes, or of the other one if it must be read, has
            more than `MOST_EVENTS` events.
        StateCorrupt, StateTooNew: something kept about one of them can't be read.
    """
    goes, stays = request.from_user, request.to_user
    _check_size(transaction, "from_user", goes)
    capacity = view.settings.window_events
    state = read_user(transaction, stays)
    record = empty_record() if state is None else state.record
    tombstone = read_tombstone(transaction, stays)
    trimmed: list[int] = []
    note_merged(transaction, goes, stays, None if tombstone is None else tombstone.until_us)
    if tombstone is not None and holds_user(transaction, goes):
        trimmed = trim_user(
            transaction, goes, tombstone.until_us, now_us, signals, capacity, half_life_s
        ).items
    if not holds_user(transaction, goes):
        return MergedUsers(0, record.state_version), trimmed
    left = read_user(transaction, goes)
    rows = read_whole_log(transaction, goes)
    moves = _moves(transaction, rows, stays, record.state_version)
    for row in moves.rows:
        write_event(transaction, row)
    replaced = [row for row in moves.rows if row.state_version <= record.state_version]
    note_changed(transaction, stays, [row.event.event_id for row in replaced])
    window = empty_record().window if left is None else left.record.window
    record = merged_record(record, window, moves.ids, capacity)
    if moves.earlier:
        _check_size(transaction, "to_user", stays)
        log = read_whole_log(transaction, stays)
        window = rebuild_user(transaction, log, signals, capacity).record.window
        record = Record(record.state_version, window)
    owned = [*read_owned(transaction, goes).tolist(), *read_owned(transaction, stays).tolist()]
    _move_reservations(transaction, request)
    changed = _merge_contributions(transaction, request, rows, moves, signals, view, half_life_s)
    delete_user(transaction, goes)
    if record.state_version:
        write_user(transaction, stays, UserState(record))
    if owned:
        write_owned(transaction, stays, owned)
    return MergedUsers(len(moves.ids), record.state_version), sorted({*trimmed, *changed})


def _check_size(transaction: Transaction, field_: str, user: str) -> None:
    """Raises InvalidRequest if a merge would take too long. Cost: a look at each key of the log."""
    if count_events(transaction, user, MOST_EVENTS + 1) > MOST_EVENTS:
        raise InvalidRequest(
            f"{field_}: got a user with more than {MOST_EVENTS} events, expected at most that in "
            "one merge; remove old events first, by `penchant expire` or `penchant ship "
            "--trim-older`"
        )


def _move_reservations(transaction: Transaction, request: MergeUsersRequest) -> None:
    """Moves the ledger, and the log of reservations from which it can be made again."""
    goes, stays = request.from_user, request.to_user
    if not has_reserved(transaction, goes):
        return
    past = _both(transaction, read_unlogged(transaction, stays), read_unlogged(transaction, goes))
    ledger = _both(transaction, read_ledger(transaction, stays), read_ledger(transaction, goes))
    reserved: defaultdict[str, list[ReservedImpression]] = defaultdict(list)
    for recommendation_id, impression in scan_reserved(transaction, goes):
        reserved[recommendation_id].append(impression)
    for recommendation_id, impressions in reserved.items():
        known = read_reserved(transaction, stays, recommendation_id)
        if transaction.shared:
            impressions = [one for one in impressions if one not in known]
        both = [*known, *impressions]
        both.sort(key=lambda one: one.at_us)
        write_reserved(transaction, stays, recommendation_id, both)
    if len(past):
        write_past_ledger(transaction, stays, past)
    write_ledger(transaction, stays, ledger)


def _both(transaction: Transaction, stays: Ledger, goes: Ledger) -> Ledger:
    """The ledger of both; where several servers write, without what was moved before."""
    if transaction.shared:
        known = set(stays.tolist())
        new = [place for place, row in enumerate(goes.tolist()) if row not in known]
        goes = goes[new]
    return merged_ledger(stays, goes)


def _moves(transaction: Transaction, rows: list[LogRow], stays: str, version: int) -> _Moves:
    moves = _Moves()
    transaction.fetch(event_keys(stays, (digest64(row.event.event_id) for row in rows)))
    for row in rows:
        event = dataclasses.replace(row.event, user=stays)
        known = read_event(transaction, stays, digest64(event.event_id))
        mine = dataclasses.replace(row, event=event)
        if known is not None and not (
            _is_same(known, mine) or _was_moved(transaction, known, mine)
        ):
            event = dataclasses.replace(
                event, event_id=moved_event_id(row.event.user, event.event_id)
            )
            known = read_event(transaction, stays, digest64(event.event_id))
        if known is not None:
            moves.same.add(event.item)
            earlier = event.occurred_at_us < known.event.occurred_at_us
            moves.earlier |= earlier
            if earlier or row.receipt is not None:
                first = event if earlier else known.event
                receipt = known.receipt or row.receipt
                moves.rows.append(dataclasses.replace(known, event=first, receipt=receipt))
            continue
        moves.ids[digest64(row.event.event_id)] = digest64(event.event_id)
        version += 1
        moves.rows.append(dataclasses.replace(row, event=event, state_version=version))
    return moves


def _is_same(one: LogRow, other: LogRow) -> bool:
    """Whether two events of an id are one; only the time may differ, as at feedback.

    Two impressions that were both charged are two.
    """
    if one.receipt is not None and other.receipt is not None:
        return False
    at_us = other.event.occurred_at_us
    return dataclasses.replace(one.event, occurred_at_us=at_us) == other.event


def _was_moved(transaction: Transaction, one: LogRow, other: LogRow) -> bool:
    """Whether a row is the other's, moved by an attempt that did not come to its end.

    Only over a network are two users written one after the other.
    """
    return (
        transaction.shared and dataclasses.replace(one, state_version=other.state_version) == other
    )


def _merge_contributions(
    transaction: Transaction,
    request: MergeUsersRequest,
    rows: list[LogRow],
    moves: _Moves,
    signals: SignalTable,
    view: CatalogView,
    half_life_s: float,
) -> list[int]:
    """Gives the user that stays the contributions of both; a user who liked twice counts once."""
    goes, stays = request.from_user, request.to_user
    recounted = _recounted(transaction, stays, moves.same, signals, view, half_life_s)
    changed = []
    items = sorted({row.event.item for row in rows})
    transaction.fetch(item_keys(items))
    numbers = [_number(transaction, view, item) for item in items]
    known = [number for number in numbers if number is not None]
    transaction.fetch(key for user in (goes, stays) for key in contribution_keys(known, user))
    for number in known:
        gone = readable_contribution(transaction, number, goes)
        kept = readable_contribution(transaction, number, stays)
        delete_contribution(transaction, number, goes)
        if gone is None:
            continue
        both = recounted.get(number) or (
            gone if kept is None else user_contribution.merged(gone, kept, half_life_s)
        )
        write_contribution(transaction, number, stays, both)
        if transaction.shared:
            # Each with the rows of its user, so that both or neither are written.
            change_counters(transaction, number, kept, both, half_life_s, stays)
            change_counters(transaction, number, gone, None, half_life_s, goes)
            changed.append(number)
            continue
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
    snapshot: Snapshot,
    user: str,
    items: set[str],
    signals: SignalTable,
    view: CatalogView,
    half_life_s: float,
) -> dict[int, UserContribution]:
    """A user's contributions to some items by the log, where events must not count twice."""
    if not items:
        return {}
    tally, retired = Tally(half_life_s), RetiredSignals()
    for row in read_whole_log(snapshot, user):
        item = row.event.item
        number = _number(snapshot, view, item) if item in items else None
        outcome = retired.resolve(signals, row.event)
        if number is not None and outcome is not None:
            tally.count(user, number, outcome, row.event.occurred_at_us)
    return {number: users[user] for number, users in tally.contributions.items()}


def _number(snapshot: Snapshot, view: CatalogView, item: str) -> int | None:
    """The number of an item, deleted or not; of a corrupt one, only where it can be ranked."""
    stored = read_sound_item(snapshot, item)
    return view.number(item) if stored is None else stored.number
