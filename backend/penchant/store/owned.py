"""The items that are a user's own."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from penchant.store import codec
from penchant.store.base import Snapshot, Transaction
from penchant.store.keys import Kind, encode

_NUMBER = np.dtype("<u4")


def read_owned(snapshot: Snapshot, user: str) -> NDArray[np.uint32]:
    """The numbers of the user's own items, ascending, shape (n,)."""
    value = snapshot.get(encode(Kind.OWNED, user))
    return np.frombuffer(b"" if value is None else codec.unseal(value, "owned items"), _NUMBER)


def write_owned(transaction: Transaction, user: str, numbers: Iterable[int]) -> None:
    """Replaces a user's own items; repeated numbers are stored once."""
    owned = np.array(sorted(set(numbers)), _NUMBER)
    transaction.put(encode(Kind.OWNED, user), codec.seal(owned.tobytes()))
