"""The release on rollout and how it stands, in a store; at most one at a time."""

from __future__ import annotations

from penchant.domain.rollout import Rollout, Sums
from penchant.store import codec
from penchant.store.base import Snapshot, Transaction
from penchant.store.keys import Kind, encode


def read_rollout(snapshot: Snapshot) -> Rollout | None:
    """The rollout that is running; None: none is."""
    value = snapshot.get(encode(Kind.TRIAL))
    return None if value is None else codec.decode_trial(value)


def write_rollout(transaction: Transaction, rollout: Rollout) -> None:
    """Begins a rollout, or moves its head on."""
    transaction.put(encode(Kind.TRIAL), codec.encode_trial(rollout))


def delete_rollout(transaction: Transaction) -> None:
    """Ends the rollout: readers follow at their next snapshot."""
    transaction.delete(encode(Kind.TRIAL))


def read_sums(snapshot: Snapshot) -> Sums:
    """What was counted in the running or the last rollout."""
    return codec.decode_sums(snapshot.get(encode(Kind.SUMS)))


def write_sums(transaction: Transaction, sums: Sums) -> None:
    """Keeps what was counted."""
    transaction.put(encode(Kind.SUMS), codec.encode_sums(sums))
