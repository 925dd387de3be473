"""The tombstones of forgotten users, by names that digests make of their ids."""

from __future__ import annotations

import dataclasses
import json

from penchant.domain.errors import StateCorrupt
from penchant.domain.pseudonyms import name_of
from penchant.domain.tombstone import ForgetReceipt, Tombstone
from penchant.store.base import Snapshot, Transaction
from penchant.store.codec import seal, sound, unseal
from penchant.store.keys import Kind, encode


def any_tombstone(snapshot: Snapshot) -> bool:
    """Whether anybody was ever forgotten; cheaper than to look for one user's."""
    return next(snapshot.scan(encode(Kind.TOMBSTONE)), None) is not None


def tombstone_key(user: str) -> bytes:
    """The key of a user's tombstone."""
    return encode(Kind.TOMBSTONE, name_of(user))


def read_tombstone(snapshot: Snapshot, user: str) -> Tombstone | None:
    """The tombstone of a user, or None.

    Raises:
        StateCorrupt, StateTooNew: it can't be read.
    """
    value = snapshot.get(tombstone_key(user))
    try:
        return None if value is None else decode_tombstone(value)
    except StateCorrupt as error:
        raise StateCorrupt(f"{error}; forget the user again, which writes it anew") from error


def write_tombstone(transaction: Transaction, user: str, tombstone: Tombstone) -> None:
    """Replaces a user's tombstone."""
    transaction.put(tombstone_key(user), encode_tombstone(tombstone))


def encode_tombstone(tombstone: Tombstone) -> bytes:
    """Encodes and seals a tombstone."""
    receipt = dataclasses.asdict(tombstone.receipt)
    text = json.dumps([tombstone.until_us, receipt], separators=(",", ":"), sort_keys=True)
    return seal(text.encode())


@sound("tombstone")
def decode_tombstone(value: bytes) -> Tombstone:
    """The inverse of `encode_tombstone`."""
    until_us, receipt = json.loads(str(unseal(value, "tombstone"), "utf-8"))
    return Tombstone(ForgetReceipt(**receipt), until_us)
