"""Deletes a user's events up to a time, as if they had never been: for retention and for merges.

Window, own items, shares of counters and ledger are then what the later events give. The state
version stays, so that it never goes back. What deleted impressions were charged stays in the sums
of their campaigns' accounts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from penchant.domain.frequency_caps import Ledger
from penchant.domain.reservations import ReservedImpression
from penchant.domain.retired_signals import RetiredSignals
from penchant.domain.rewards import SignalTable
from penchant.domain.tally import Tally
from penchant.domain.types import LogRow, Record, UserState
from penchant.domain.user_contribution import UserContribution
from penchant.service.item_counts import contribute_to, readable_contribution, withdraw_from
from penchant.service.rebuilt_records import rebuild_user
from penchant.service.reservation_history import (
    ALL_LAPSED_US,
    PairedReservation,
    ReservationHistory,
    read_history,
)
from penchant.store.accepted_events import take_accepted
from penchant.store.base import Snapshot, Transaction
from penchant.store.items import read_sound_item
from penchant.store.ledgers import delete_ledger, read_ledger, write_ledger
from penchant.store.owned import delete_owned, write_owned
from penchant.store.reservation_log import (
    add_to_balances,
    delete_reserved,
    has_reserved,
    write_past_ledger,
    write_reserved,
)
from penchant.store.ship_notes import note_lowered
from penchant.store.users import (
    delete_event,
    delete_record,
    read_user,
    read_whole_log,
    write_user,
)


@dataclass(slots=True)
class Trimmed:
    """What a trim deleted."""

    events: int = 0
    reservations: int = 0
    items: list[int] = field(default_factory=list)
    """Numbers of the items whose counters changed."""


def trim_user(
    transaction: Transaction,
    user: str,
    until_us: int,
    now_us: int,
    signals: SignalTable,
    window_events: int,
    half_life_s: float,
) -> Trimmed:
    """Deletes the events and the lapsed reservations of a user up to a time.

    Args:
        transaction: commits all of it.
        user: the user.
        until_us: the last moment that is deleted, in microseconds since 1970.
        now_us: the server's time; reservations that have not lapsed stay.
        signals: rewards of the signals.
        window_events: size of the window.
        half_life_s: seconds after which a contribution counts half.

    Returns:
        What was deleted. Cost: reads the user's log, and writes what changes.

    Raises:
        StateCorrupt, StateTooNew: something kept about the user can't be read; all of it stays.
    """
    rows = read_whole_log(transaction, user)
    old = [row for row in rows if row.event.occurred_at_us <= until_us]
    left = [row for row in rows if row.event.occurred_at_us > until_us]
    trimmed = Trimmed(events=len(old))
    if has_reserved(transaction, user):
        trimmed.reservations = _trim_reservations(transaction, user, until_us, now_us)
    if not old:
        return trimmed
    for row in old:
        delete_event(transaction, user, row.event.event_id)
    take_accepted(transaction, len(old), user)
    _trim_record(transaction, user, left, signals, window_events)
    trimmed.items = _recount(transaction, user, old, left, signals, half_life_s)
    return trimmed


def _trim_record(
    transaction: Transaction,
    user: str,
    left: Sequence[LogRow],
    signals: SignalTable,
    window_events: int,
) -> None:
    before = read_user(transaction, user)
    if not left:
        delete_record(transaction, user)
        delete_owned(transaction, user)
        note_lowered(transaction, user, 0)
        return
    made = rebuild_user(transaction, left, signals, window_events)
    version = made.record.state_version if before is None else before.record.state_version
    write_user(transaction, user, UserState(Record(version, made.record.window)))
    if made.owned:
        write_owned(transaction, user, made.owned)
    else:
        delete_owned(transaction, user)


def _recount(
    transaction: Transaction,
    user: str,
    old: Sequence[LogRow],
    left: Sequence[LogRow],
    signals: SignalTable,
    half_life_s: float,
) -> list[int]:
    """Replaces the contributions to the items of the old rows by those that the others give."""
    numbers = _numbers(transaction, {row.event.item for row in old})
    tally, retired = Tally(half_life_s), RetiredSignals()
    for row in left:
        outcome = retired.resolve(signals, row.event)
        if row.event.item in numbers and outcome is not None:
            tally.count(user, numbers[row.event.item], outcome, row.event.occurred_at_us)
    changed = []
    for number in sorted(numbers.values()):
        now: UserContribution | None = tally.contributions.get(number, {}).get(user)
        if readable_contribution(transaction, number, user) == now:
            continue
        withdraw_from(transaction, number, user, half_life_s)
        if now is not None:
            contribute_to(transaction, number, user, now, half_life_s)
        changed.append(number)
    return changed


def _numbers(snapshot: Snapshot, items: set[str]) -> dict[str, int]:
    found = {item: read_sound_item(snapshot, item) for item in items}
    return {item: stored.number for item, stored in found.items() if stored is not None}


def _trim_reservations(transaction: Transaction, user: str, until_us: int, now_us: int) -> int:
    """Closes the accounts of old reservations, and makes the ledger from those that stay."""
    history = read_history(transaction, user)
    gone: list[PairedReservation] = []
    stays: defaultdict[str, list[ReservedImpression]] = defaultdict(list)
    for one in history.reserved:
        ended_us = one.shown[0].event.occurred_at_us if one.shown else one.impression.lapses_at_us
        if ended_us <= until_us and one.impression.lapses_at_us <= now_us:
            gone.append(one)
        else:
            stays[one.recommendation_id].append(one.impression)
    strays = tuple(one for one in history.strays if one[0].event.occurred_at_us <= until_us)
    past = history.past[history.past["at_us"] > until_us]
    if not gone and not strays and len(past) == len(history.past):
        return 0
    closed = ReservationHistory(_none(history.past), tuple(gone), strays)
    # A row that is replaced makes room, and so do the rows that go.
    for id_ in {one.recommendation_id for one in gone}:
        if stays[id_]:
            write_reserved(transaction, user, id_, stays[id_])
        else:
            delete_reserved(transaction, user, id_)
    if len(history.past):
        write_past_ledger(transaction, user, past)
    add_to_balances(transaction, closed.accounts(ALL_LAPSED_US), user)
    ledger = read_ledger(transaction, user)
    kept = ledger[(ledger["at_us"] > until_us) | (ledger["lapses_at_us"] > now_us)]
    if len(kept):
        write_ledger(transaction, user, kept)
    else:
        delete_ledger(transaction, user)
    return len(gone)


def _none(ledger: Ledger) -> Ledger:
    return ledger[:0]
