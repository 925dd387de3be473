"""The release on trial and how it stands, in a store; at most one at a time."""

from __future__ import annotations

from penchant.domain.rollout import Sums, Trial
from penchant.store import codec
from penchant.store.base import Snapshot, Transaction
from penchant.store.keys import Kind, encode


def read_trial(snapshot: Snapshot) -> Trial | None:
    """The trial that is running; None: none is."""
    value = snapshot.get(encode(Kind.TRIAL))
    return None if value is None else codec.decode_trial(value)


def write_trial(transaction: Transaction, trial: Trial) -> None:
    """Begins a trial, or moves its head on."""
    transaction.put(encode(Kind.TRIAL), codec.encode_trial(trial))


def delete_trial(transaction: Transaction) -> None:
    """Ends the trial: readers follow at their next snapshot."""
    transaction.delete(encode(Kind.TRIAL))


def read_sums(snapshot: Snapshot) -> Sums:
    """What was counted in the running or the last trial."""
    return codec.decode_sums(snapshot.get(encode(Kind.SUMS)))


def write_sums(transaction: Transaction, sums: Sums) -> None:
    """Keeps what was counted."""
    transaction.put(encode(Kind.SUMS), codec.encode_sums(sums))
