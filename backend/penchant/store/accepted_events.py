"""The number of accepted events, by which a clock sees how many are new.

Those of forgotten users are taken out, so that the next look of a clock finds fewer than the last
refresh learnt from, and refreshes. Events that older releases accepted are not counted.
"""

from __future__ import annotations

import struct

from penchant.domain.errors import StateCorrupt
from penchant.store.base import Snapshot, Transaction
from penchant.store.codec import seal, unseal
from penchant.store.keys import Kind, encode

_KEY = encode(Kind.ACCEPTED)
_COUNT = struct.Struct("<Q")


def read_accepted(snapshot: Snapshot) -> int:
    """The number; 0 before the first event, or if it can't be read."""
    value = snapshot.get(_KEY)
    try:
        return 0 if value is None else int(_COUNT.unpack(unseal(value, "accepted events"))[0])
    except (StateCorrupt, struct.error):
        return 0  # A clock then sees fewer events than the last refresh did, and refreshes.


def add_accepted(transaction: Transaction, events: int) -> None:
    """Counts more events."""
    transaction.put(_KEY, seal(_COUNT.pack(read_accepted(transaction) + events)))


def take_accepted(transaction: Transaction, events: int) -> None:
    """Counts fewer events: some were deleted."""
    left = read_accepted(transaction) - events
    if left > 0:
        transaction.put(_KEY, seal(_COUNT.pack(left)))
    else:
        transaction.delete(_KEY)
