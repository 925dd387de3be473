"""Gives users other names in all their rows, one user a transaction: a kill costs nothing."""

from __future__ import annotations

import dataclasses
import logging

from penchant.domain.errors import StateCorrupt
from penchant.domain.pseudonyms import keys_applied, renamed
from penchant.store import codec
from penchant.store.base import Snapshot, Transaction
from penchant.store.items import read_sound_item
from penchant.store.keys import BY_USER, Kind, decode, encode

log = logging.getLogger("penchant")


def names_before(snapshot: Snapshot, keys: int) -> list[str]:
    """The users and tombstones whose names have been through fewer keys than given, in order.

    Cost: a look at every row that names a user.
    """
    found: set[str] = set()
    for kind in (*BY_USER, Kind.TOMBSTONE):
        found.update(str(decode(key)[1][0]) for key, _ in snapshot.scan(encode(kind)))
    found.update(user for _, user in _contributors(snapshot))
    return sorted(name for name in found if keys_applied(name) < keys)


def rename_user(transaction: Transaction, user: str, key: bytes) -> None:
    """Moves all rows of a user, or of a tombstone, to the name after one more key."""
    name = renamed(user, key)
    numbers: set[int] = set()
    for kind in (*BY_USER, Kind.TOMBSTONE, Kind.ERASURE):
        for old, value in list(transaction.scan(encode(kind, user))):
            _, (_, *rest) = decode(old)
            if kind is Kind.LOG:
                value = _renamed_row(transaction, value, name, numbers)
            transaction.put(encode(kind, name, *rest), value)
            transaction.delete(old)
    for number in numbers:
        _move_contribution(transaction, number, user, name)


def rename_other_contributions(transaction: Transaction, keys: int, key: bytes) -> int:
    """Moves the contributions of users whose log does not name the items; returns their number."""
    left = [pair for pair in _contributors(transaction) if keys_applied(pair[1]) < keys]
    for number, user in left:
        _move_contribution(transaction, number, user, renamed(user, key))
    return len(left)


def _contributors(snapshot: Snapshot) -> list[tuple[int, str]]:
    found = (decode(key)[1] for key, _ in snapshot.scan(encode(Kind.CONTRIBUTION)))
    return [(int(number), str(user)) for number, user in found if user]  # "": the catalog's.


def _move_contribution(transaction: Transaction, number: int, user: str, name: str) -> None:
    old = encode(Kind.CONTRIBUTION, number, user)
    value = transaction.get(old)
    if value is not None:
        transaction.put(encode(Kind.CONTRIBUTION, number, name), value)
        transaction.delete(old)


def _renamed_row(transaction: Transaction, value: bytes, name: str, numbers: set[int]) -> bytes:
    try:
        row = codec.decode_log_row(value)
    except StateCorrupt as error:
        log.error("%s; it stays damaged, under its user's new name", error)
        return value
    stored = read_sound_item(transaction, row.event.item)
    if stored is not None:
        numbers.add(stored.number)
    event = dataclasses.replace(row.event, user=name)
    return codec.encode_log_row(dataclasses.replace(row, event=event))
