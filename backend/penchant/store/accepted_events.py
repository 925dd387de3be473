"""The number of accepted events, by which a clock sees how many are new.

Those of forgotten users are taken out, so that the next look of a clock finds fewer than the last
refresh learnt from, and refreshes. Events that older releases accepted are not counted.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Sequence

from penchant.domain.errors import StateCorrupt
from penchant.store.base import Snapshot, Transaction
from penchant.store.codec import seal, unseal
from penchant.store.keys import Kind, encode

_KEY = encode(Kind.ACCEPTED)
_COUNT = struct.Struct("<Q")
_CHANGE = struct.Struct("<q")


def read_accepted(snapshot: Snapshot) -> int:
    """The number; 0 before the first event, or if it can't be read."""
    return _decoded(snapshot.get(_KEY))


def merge_accepted(transaction: Transaction, events: int, user: str) -> None:
    """Counts more events of a user, or fewer where `events` is below 0: some were deleted."""
    transaction.merge(_KEY, seal(_CHANGE.pack(events)), user=user)


def accepted_with(row: bytes | None, operand: bytes) -> bytes | None:
    """The rule of its merges: a sum, of which nothing is kept at 0 or below."""
    left = _decoded(row) + int(_CHANGE.unpack(unseal(operand, "number of events"))[0])
    return seal(_COUNT.pack(left)) if left > 0 else None


def count_accepted(transaction: Transaction, users: Sequence[str]) -> None:
    """Counts more events, each named by its user."""
    if transaction.shared:
        for user, events in Counter(users).items():
            merge_accepted(transaction, events, user)
    else:
        add_accepted(transaction, len(users))


def add_accepted(transaction: Transaction, events: int) -> None:
    """Counts more events, where one server alone writes."""
    transaction.put(_KEY, seal(_COUNT.pack(read_accepted(transaction) + events)))


def take_accepted(transaction: Transaction, events: int, user: str) -> None:
    """Counts fewer events: some of a user were deleted."""
    if transaction.shared:
        merge_accepted(transaction, -events, user)
        return
    left = read_accepted(transaction) - events
    if left > 0:
        transaction.put(_KEY, seal(_COUNT.pack(left)))
    else:
        transaction.delete(_KEY)


def _decoded(value: bytes | None) -> int:
    try:
        return 0 if value is None else int(_COUNT.unpack(unseal(value, "accepted events"))[0])
    except (StateCorrupt, struct.error):
        return 0  # A clock then sees fewer events than the last refresh did, and refreshes.
