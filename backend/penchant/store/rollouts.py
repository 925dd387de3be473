"""The release on rollout and its sums; at most one at a time."""

from __future__ import annotations

from penchant.domain.errors import StateCorrupt
from penchant.domain.rollout import Rollout, Sums, no_sums
from penchant.store import codec
from penchant.store.base import Snapshot, Transaction
from penchant.store.corrupt_rows import readable
from penchant.store.keys import Kind, encode

_COUNTED = "the rollout is counted from now on"


def read_rollout(snapshot: Snapshot) -> Rollout | None:
    """The running rollout, or None.

    Raises:
        StateCorrupt: it can't be read; the text says what to do.
    """
    value = snapshot.get(encode(Kind.ROLLOUT))
    try:
        return None if value is None else codec.decode_rollout(value)
    except StateCorrupt as error:
        raise StateCorrupt(
            f"{error}; a start of the server ends it, and so does `penchant rebuild records`"
        ) from error


def write_rollout(transaction: Transaction, rollout: Rollout) -> None:
    """Begins a rollout, or updates its head."""
    transaction.put(encode(Kind.ROLLOUT), codec.encode_rollout(rollout))


def delete_rollout(transaction: Transaction) -> None:
    """Ends the rollout; readers follow at their next snapshot."""
    transaction.delete(encode(Kind.ROLLOUT))


def read_sums(snapshot: Snapshot) -> Sums:
    """The sums of the running or the last rollout; zeros, said in the log, if they are corrupt."""
    key = encode(Kind.SUMS)
    value = snapshot.get(key)
    if value is None:
        return no_sums()
    return next(
        (one for _, one in readable([(key, value)], codec.decode_sums, _COUNTED)), no_sums()
    )


def add_sums(transaction: Transaction, sums: Sums, user: str) -> None:
    """Adds what a user's events add to the sums."""
    transaction.merge(encode(Kind.SUMS), codec.encode_sums(sums), user=user)


def sums_with(row: bytes | None, operand: bytes) -> bytes:
    """The rule of their merges: they add up; corrupt ones count as zeros, as in `read_sums`."""
    more = codec.decode_sums(operand)
    try:
        return codec.encode_sums((no_sums() if row is None else codec.decode_sums(row)) + more)
    except StateCorrupt:
        return codec.encode_sums(more)


def write_sums(transaction: Transaction, sums: Sums) -> None:
    """Replaces the sums."""
    transaction.put(encode(Kind.SUMS), codec.encode_sums(sums))
