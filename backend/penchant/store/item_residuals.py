"""The residuals of items: for each encoder, the set that is in use, and perhaps one being written.

A refresh of a large catalog has a residual for every item. It writes them as a new set in short
transactions, while the old set is in use; the transaction that switches the catalog then changes
one row. Sets that are not in use are deleted in short transactions, too.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence

from penchant.domain.errors import StateCorrupt
from penchant.domain.types import Vector
from penchant.store import codec
from penchant.store.base import Snapshot, Store, Transaction
from penchant.store.corrupt_rows import readable
from penchant.store.keys import Kind, decode, encode
from penchant.store.short_transactions import in_short_transactions

_REFRESH = "run `penchant refresh`, which learns it again"
_MARK = "#"
"""Stands between the version of an encoder, which is hexadecimal, and the name of a set."""


def read_residual(snapshot: Snapshot, encoder_version: str, number: int) -> Vector | None:
    """The residual learnt for an item in an encoder's space, shape (d,), or None.

    None, too, if it is corrupt: the log says so.
    """
    key = encode(Kind.RESIDUAL, _used(snapshot, encoder_version), number)
    value = snapshot.get(key)
    if value is None:
        return None
    return next((one for _, one in readable([(key, value)], codec.decode_vector, _REFRESH)), None)


def fetch_residuals(snapshot: Snapshot, encoder_version: str, numbers: Iterable[int]) -> None:
    """Says which items' residuals will be read; see `Snapshot.fetch`."""
    used = _used(snapshot, encoder_version)
    snapshot.fetch(encode(Kind.RESIDUAL, used, number) for number in numbers)


def scan_residuals(snapshot: Snapshot, encoder_version: str) -> Iterator[tuple[int, Vector]]:
    """Item numbers and residuals in an encoder's space, in order of the numbers."""
    rows = snapshot.scan(encode(Kind.RESIDUAL, _used(snapshot, encoder_version)))
    for (_, number), residual in readable(rows, codec.decode_vector, _REFRESH):
        yield int(number), residual


def replace_residuals(
    transaction: Transaction, encoder_version: str, residuals: Iterable[tuple[int, Vector]]
) -> None:
    """Replaces all residuals in an encoder's space by these, given by item number."""
    used = _used(transaction, encoder_version)
    for key in [key for key, _ in transaction.scan(encode(Kind.RESIDUAL, used))]:
        transaction.delete(key)
    for number, residual in residuals:
        transaction.put(encode(Kind.RESIDUAL, used, number), codec.encode_vector(residual))


def stage_residuals(
    store: Store, encoder_version: str, residuals: Sequence[tuple[int, Vector]]
) -> str:
    """Writes a set of residuals, given by item number, in short transactions; returns its name."""
    name = f"{encoder_version}{_MARK}{secrets.token_hex(6)}"

    def write(transaction: Transaction, one: tuple[int, Vector]) -> None:
        transaction.put(encode(Kind.RESIDUAL, name, one[0]), codec.encode_vector(one[1]))

    in_short_transactions(store, residuals, write)
    return name


def use_residuals(transaction: Transaction, encoder_version: str, name: str) -> None:
    """Uses a set that was staged for an encoder."""
    transaction.put(encode(Kind.RESIDUAL_SET, encoder_version), codec.seal(name.encode()))


def drop_unused_residuals(store: Store, encoder_version: str) -> None:
    """Deletes an encoder's sets that are not in use; no other refresh may be under way."""
    with store.snapshot() as snapshot:
        used = _used(snapshot, encoder_version)
        keys = [
            key
            for name in _names(snapshot)
            if name != used and encoder_of_set(name) == encoder_version
            for key, _ in snapshot.scan(encode(Kind.RESIDUAL, name))
        ]
    in_short_transactions(store, keys, lambda transaction, key: transaction.delete(key))


def residuals_of_others(snapshot: Snapshot, kept: Collection[str]) -> list[bytes]:
    """The keys of the residuals of all encoders but some, and of the notes of their sets."""
    dropped = [
        key
        for name in _names(snapshot)
        if encoder_of_set(name) not in kept
        for key, _ in snapshot.scan(encode(Kind.RESIDUAL, name))
    ]
    notes = [key for key, _ in snapshot.scan(encode(Kind.RESIDUAL_SET))]
    return dropped + [key for key in notes if decode(key)[1][0] not in kept]


def encoder_of_set(name: str) -> str:
    """The version of the encoder that a set belongs to."""
    return name.partition(_MARK)[0]


def _used(snapshot: Snapshot, encoder_version: str) -> str:
    """The name of the set in use: the encoder's version itself before the first staged one."""
    value = snapshot.get(encode(Kind.RESIDUAL_SET, encoder_version))
    if value is None:
        return encoder_version
    try:
        return bytes(codec.unseal(value, "set of residuals")).decode()
    except StateCorrupt:
        # Which one was used is not known; where there is one alone, it was.
        names = [name for name in _names(snapshot) if encoder_of_set(name) == encoder_version]
        return names[0] if len(names) == 1 else encoder_version


def _names(snapshot: Snapshot) -> list[str]:
    """The names of all sets; cost: a search for each."""
    found: list[str] = []
    start = prefix = encode(Kind.RESIDUAL)
    while (row := next(iter(snapshot.scan(prefix, start)), None)) is not None:
        found.append(str(decode(row[0])[1][0]))
        start = encode(Kind.RESIDUAL, found[-1]) + b"\xff"
    return found
