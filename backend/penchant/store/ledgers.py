"""The ledgers of reserved impressions, and the budgets that pay for them."""

from __future__ import annotations

import json

import numpy as np

from penchant.domain.errors import StateCorrupt
from penchant.domain.frequency_caps import LEDGER_DTYPE, Ledger, empty_ledger
from penchant.domain.spending import Spending
from penchant.store.base import Snapshot, Transaction
from penchant.store.codec import seal, unseal
from penchant.store.keys import Kind, encode


def read_ledger(snapshot: Snapshot, user: str) -> Ledger:
    """A user's ledger as a read-only array; empty if there is none.

    Raises:
        StateCorrupt, StateTooNew: it cannot be read.
    """
    value = snapshot.get(encode(Kind.LEDGER, user))
    return empty_ledger() if value is None else decode_ledger(value)


def write_ledger(transaction: Transaction, user: str, ledger: Ledger) -> None:
    """Replaces a user's ledger."""
    transaction.put(encode(Kind.LEDGER, user), encode_ledger(ledger))


def read_spending(snapshot: Snapshot, budget: int) -> Spending:
    """A budget, by the digest of its key; raises StateCorrupt or StateTooNew."""
    value = snapshot.get(encode(Kind.BUDGET, budget))
    return Spending() if value is None else decode_spending(value)


def write_spending(transaction: Transaction, budget: int, spending: Spending) -> None:
    """Replaces a budget."""
    transaction.put(encode(Kind.BUDGET, budget), encode_spending(spending))


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
    pairs = sorted(spending.held.items())
    return seal(json.dumps([spending.spent_micros, pairs], separators=(",", ":")).encode())


def decode_spending(value: bytes) -> Spending:
    """The inverse of `encode_spending`."""
    spent, pairs = json.loads(str(unseal(value, "budget"), "utf-8"))
    return Spending(spent, dict(pairs))
