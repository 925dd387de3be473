"""The ledgers of reserved impressions, and the budgets that pay for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from penchant.domain.errors import StateCorrupt
from penchant.domain.frequency_caps import LEDGER_DTYPE, Ledger, empty_ledger
from penchant.domain.spending import Spending
from penchant.store.base import Snapshot, Transaction
from penchant.store.codec import RESERVATIONS_SINCE, seal, sound, unseal
from penchant.store.corrupt_rows import named
from penchant.store.keys import Kind, decode, encode

_REBUILD = "run `penchant rebuild ledgers`, which makes it from the log"


def budget_key(budget: int) -> bytes:
    """The key of a budget's row, by the digest of its own key."""
    return encode(Kind.BUDGET, budget)


def read_ledger(snapshot: Snapshot, user: str) -> Ledger:
    """A user's ledger as a read-only array; empty if there is none.

    Raises:
        StateCorrupt, StateTooNew: it cannot be read.
    """
    value = snapshot.get(encode(Kind.LEDGER, user))
    try:
        return empty_ledger() if value is None else decode_ledger(value)
    except StateCorrupt as error:
        raise named(error, user, _REBUILD) from error


def is_logged_ledger(snapshot: Snapshot, user: str) -> bool:
    """Whether the log accounts for a ledger: False only for one that an older release left."""
    return _is_logged(snapshot.get(encode(Kind.LEDGER, user)), decode_ledger)


def is_logged_budget(snapshot: Snapshot, budget: int) -> bool:
    """Whether the log accounts for a budget: False only for one that an older release left."""
    return _is_logged(snapshot.get(encode(Kind.BUDGET, budget)), decode_spending)


def scan_budgets(snapshot: Snapshot) -> Iterator[tuple[int, Spending | None]]:
    """All budgets by the digests of their keys; None for one that cannot be read."""
    for key, value in snapshot.scan(encode(Kind.BUDGET)):
        budget = int(decode(key)[1][0])
        try:
            yield budget, decode_spending(value)
        except StateCorrupt:
            yield budget, None


def delete_ledger(transaction: Transaction, user: str) -> None:
    """Removes a user's ledger."""
    transaction.delete(encode(Kind.LEDGER, user))


def write_ledger(transaction: Transaction, user: str, ledger: Ledger) -> None:
    """Replaces a user's ledger."""
    transaction.put(encode(Kind.LEDGER, user), encode_ledger(ledger))


def read_spending(snapshot: Snapshot, budget: int) -> Spending:
    """A budget, by the digest of its key; raises StateCorrupt or StateTooNew."""
    value = snapshot.get(encode(Kind.BUDGET, budget))
    try:
        return Spending() if value is None else decode_spending(value)
    except StateCorrupt as error:
        raise named(error, budget, _REBUILD) from error


def write_spending(transaction: Transaction, budget: int, spending: Spending) -> None:
    """Replaces a budget."""
    transaction.put(encode(Kind.BUDGET, budget), encode_spending(spending))


def settle_spending(
    transaction: Transaction, budget: int, spent_micros: int, freed: Mapping[int, int], user: str
) -> None:
    """Charges a budget for a user's impressions, and frees what they, or others, had reserved.

    Args:
        transaction: writes the user's ledger as well.
        budget: the digest of its key.
        spent_micros: charged for impressions that were shown.
        freed: micros no longer held, by the second since 1970 at which the reservation lapses.
        user: whose reservations they are.
    """
    change = json.dumps([spent_micros, sorted(freed.items())], separators=(",", ":")).encode()
    transaction.merge(encode(Kind.BUDGET, budget), seal(change), user=user)


def spending_with(row: bytes | None, operand: bytes) -> bytes | None:
    """The rule of a budget's merges; one that can't be read stays as it is, until it is rebuilt."""
    spent_micros, freed = json.loads(str(unseal(operand, "change of a budget"), "utf-8"))
    try:
        spending = Spending() if row is None else decode_spending(row)
    except StateCorrupt:
        return row
    return encode_spending(spending.settled(spent_micros, dict(freed)))


def _is_logged(value: bytes | None, decode_value: Callable[[bytes], object]) -> bool:
    """Whether a row is of a release that logs its changes; damaged rows have no other source."""
    if value is None or value[:1] >= bytes([RESERVATIONS_SINCE]):
        return True
    try:
        decode_value(value)
    except StateCorrupt:
        return True
    return False


def encode_ledger(ledger: Ledger) -> bytes:
    """Encodes and seals a ledger."""
    return seal(ledger.tobytes())


def decode_ledger(value: bytes) -> Ledger:
    """The inverse of `encode_ledger`."""
    payload = unseal(value, "ledger")
    if len(payload) % LEDGER_DTYPE.itemsize:
        raise StateCorrupt(
            f"ledger: got {len(payload)} bytes, expected entries of {LEDGER_DTYPE.itemsize}"
        )
    # Copied, because NumPy is several times slower on unaligned numbers.
    return np.frombuffer(bytes(payload), LEDGER_DTYPE)


def encode_spending(spending: Spending) -> bytes:
    """Encodes and seals a budget."""
    pairs = sorted(spending.held.items()), sorted(spending.granted.items())
    return seal(json.dumps([spending.spent_micros, *pairs], separators=(",", ":")).encode())


@sound("budget")
def decode_spending(value: bytes) -> Spending:
    """The inverse of `encode_spending`."""
    spent, held, *granted = json.loads(str(unseal(value, "budget"), "utf-8"))
    return Spending(spent, dict(held), *map(dict, granted))  # Schema 4 kept no grants.
