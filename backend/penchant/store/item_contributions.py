"""What each user adds to each item's counters, by item."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator

from penchant.domain.errors import StateCorrupt
from penchant.domain.user_contribution import UserContribution
from penchant.store.base import Snapshot, Transaction
from penchant.store.codec import seal, unseal
from penchant.store.keys import Kind, decode, encode

CATALOG = ""
"""The user whose contribution is the credit that a new item's text was given."""

_CONTRIBUTION = struct.Struct("<dddq")


def read_contribution(snapshot: Snapshot, item_number: int, user: str) -> UserContribution | None:
    """A user's contribution to an item, or None; raises StateCorrupt or StateTooNew."""
    value = snapshot.get(encode(Kind.CONTRIBUTION, item_number, user))
    return None if value is None else decode_contribution(value)


def write_contribution(
    transaction: Transaction, item_number: int, user: str, contribution: UserContribution
) -> None:
    """Replaces a user's contribution to an item."""
    key = encode(Kind.CONTRIBUTION, item_number, user)
    transaction.put(key, encode_contribution(contribution))


def delete_contribution(transaction: Transaction, item_number: int, user: str) -> None:
    """Removes a user's contribution to an item, if there is one."""
    transaction.delete(encode(Kind.CONTRIBUTION, item_number, user))


def contributors(snapshot: Snapshot, item_number: int) -> Iterator[tuple[str, bytes]]:
    """Every contribution to an item, by user and still encoded, so that one may be corrupt."""
    for key, value in snapshot.scan(encode(Kind.CONTRIBUTION, item_number)):
        _, (_, user) = decode(key)
        yield str(user), value


def any_contribution(snapshot: Snapshot) -> bool:
    """Whether the store holds contributions; counters of older releases have none."""
    return next(snapshot.scan(encode(Kind.CONTRIBUTION)), None) is not None


def scan_contributions(snapshot: Snapshot) -> Iterator[tuple[int, UserContribution]]:
    """Everybody's contributions, by item number; those that can't be read are left out."""
    for key, value in snapshot.scan(encode(Kind.CONTRIBUTION)):
        _, (number, _) = decode(key)
        with contextlib.suppress(StateCorrupt):
            yield int(number), decode_contribution(value)


def items_of(snapshot: Snapshot, user: str) -> Iterator[int]:
    """Numbers of the items that a user contributed to. Cost: a scan of everybody's."""
    for key, _ in snapshot.scan(encode(Kind.CONTRIBUTION)):
        _, (number, contributor) = decode(key)
        if contributor == user:
            yield int(number)


def encode_contribution(contribution: UserContribution) -> bytes:
    """Encodes and seals a contribution."""
    return seal(
        _CONTRIBUTION.pack(
            contribution.positives,
            contribution.impressions,
            contribution.strongest,
            contribution.as_of_us,
        )
    )


def decode_contribution(value: bytes) -> UserContribution:
    """The inverse of `encode_contribution`."""
    payload = unseal(value, "contribution")
    if len(payload) != _CONTRIBUTION.size:
        raise StateCorrupt(f"contribution: got {len(payload)} bytes, expected {_CONTRIBUTION.size}")
    return UserContribution(*_CONTRIBUTION.unpack(payload))
