"""The log of reservations: what was reserved for whom, and what of it is nobody's any more.

Receipts, the other half, are in the event log, in the rows of the impressions that confirmed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from penchant.domain.ad_accounts import AdAccount, AdAccountKey
from penchant.domain.errors import StateCorrupt, StoreUnavailable
from penchant.domain.frequency_caps import Ledger, empty_ledger
from penchant.domain.reservations import ReservedImpression
from penchant.domain.window import digest64
from penchant.store import codec
from penchant.store.base import Snapshot, Transaction
from penchant.store.corrupt_rows import named
from penchant.store.keys import Kind, decode, encode
from penchant.store.ledgers import decode_ledger, encode_ledger, is_logged_ledger, read_ledger

RESERVING_KINDS = (Kind.RESERVED, Kind.PAST_LEDGER, Kind.LEDGER)
"""Kinds of rows that a user with reservations has, each by the user's id first."""

_REMEDY = "restore a backup, or forget the user"


def read_reserved(
    snapshot: Snapshot, user: str, recommendation_id: str
) -> list[ReservedImpression]:
    """The impressions that were ever reserved for a recommendation, in their order."""
    value = snapshot.get(encode(Kind.RESERVED, user, digest64(recommendation_id)))
    return [] if value is None else codec.decode_reserved(value)[1]


def write_reserved(
    transaction: Transaction,
    user: str,
    recommendation_id: str,
    impressions: Sequence[ReservedImpression],
) -> None:
    """Replaces the impressions reserved for a recommendation."""
    key = encode(Kind.RESERVED, user, digest64(recommendation_id))
    transaction.put(key, codec.encode_reserved(recommendation_id, impressions))


def delete_reserved(transaction: Transaction, user: str, recommendation_id: str) -> None:
    """Removes the impressions reserved for a recommendation."""
    transaction.delete(encode(Kind.RESERVED, user, digest64(recommendation_id)))


def scan_reserved(snapshot: Snapshot, user: str) -> Iterator[tuple[str, ReservedImpression]]:
    """All that was ever reserved for a user, each with the id of its recommendation.

    Raises:
        StateCorrupt, StateTooNew: a row can't be read.
    """
    for _, value in snapshot.scan(encode(Kind.RESERVED, user)):
        try:
            recommendation_id, impressions = codec.decode_reserved(value)
        except StateCorrupt as error:
            raise named(error, user, _REMEDY) from error
        for impression in impressions:
            yield recommendation_id, impression


def read_past_ledger(snapshot: Snapshot, user: str) -> Ledger:
    """The ledger as a release left it that logged no reservations; empty if there was none."""
    value = snapshot.get(encode(Kind.PAST_LEDGER, user))
    try:
        return empty_ledger() if value is None else decode_ledger(value)
    except StateCorrupt as error:
        raise named(error, user, _REMEDY) from error


def write_past_ledger(transaction: Transaction, user: str, ledger: Ledger) -> None:
    """Keeps a ledger of such a release, before its first change by this one."""
    transaction.put(encode(Kind.PAST_LEDGER, user), encode_ledger(ledger))


def scan_reserving_users(snapshot: Snapshot) -> list[str]:
    """The ids of all users who have reservations, in order. Cost: reads all their rows."""
    found: set[str] = set()
    for kind in RESERVING_KINDS:
        found.update(str(decode(key)[1][0]) for key, _ in snapshot.scan(encode(kind)))
    return sorted(found)


def has_reserved(snapshot: Snapshot, user: str) -> bool:
    """Whether anything is kept about a user's reservations, readable or not."""
    return any(
        next(snapshot.scan(encode(kind, user)), None) is not None for kind in RESERVING_KINDS
    )


def read_unlogged(snapshot: Snapshot, user: str) -> Ledger:
    """The part of a ledger for which the log does not account: that of an older release."""
    read = read_past_ledger if is_logged_ledger(snapshot, user) else read_ledger
    return read(snapshot, user)


def scan_balances(snapshot: Snapshot) -> Iterator[tuple[AdAccountKey, AdAccount | None]]:
    """What no user's log accounts for: charges of older releases, and of forgotten users.

    Yields:
        The key and the sums; None for a row that cannot be read.
    """
    for key, value in snapshot.scan(encode(Kind.BALANCE)):
        budget, campaign, day = decode(key)[1]
        yield AdAccountKey(str(campaign), str(day), int(budget)), _readable(value)


def _readable(value: bytes | None) -> AdAccount | None:
    try:
        return None if value is None else codec.decode_balance(value)
    except StateCorrupt:
        return None


def write_past_spending(transaction: Transaction, budget: int, micros: int) -> None:
    """Keeps what a budget had spent before its charges were logged, before its first change."""
    key = encode(Kind.BALANCE, budget, "", "")
    transaction.put(key, codec.encode_balance(AdAccount(charged_micros=micros)))


def merge_balance(
    transaction: Transaction, key: AdAccountKey, account: AdAccount, user: str
) -> None:
    """Adds to a balance what a user's log no longer accounts for."""
    stored = encode(Kind.BALANCE, key.budget, key.campaign, key.day)
    transaction.merge(stored, codec.encode_balance(account), user=user)


def balance_with(row: bytes | None, operand: bytes) -> bytes:
    """The rule of its merges: a sum; a balance that can't be read counts as none."""
    before, more = _readable(row), codec.decode_balance(operand)
    return codec.encode_balance(more if before is None else before + more)


def add_to_balances(
    transaction: Transaction, accounts: Mapping[AdAccountKey, AdAccount], user: str
) -> dict[AdAccountKey, AdAccount]:
    """Adds accounts of a user to the balances; returns those for which a full store has no room."""
    left: dict[AdAccountKey, AdAccount] = {}
    for key, account in accounts.items():
        if transaction.shared:
            merge_balance(transaction, key, account, user)
            continue
        stored = encode(Kind.BALANCE, key.budget, key.campaign, key.day)
        before = _readable(transaction.get(stored))
        after = account if before is None else before + account
        try:
            transaction.put(stored, codec.encode_balance(after))
        except StoreUnavailable:
            left[key] = account
    return left
