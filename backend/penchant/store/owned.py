"""The items that are a user's own: a function of the user's log, as the record is."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from penchant.domain.errors import StateCorrupt
from penchant.store import codec
from penchant.store.base import Snapshot, Transaction
from penchant.store.corrupt_rows import named
from penchant.store.keys import Kind, encode

_NUMBER = np.dtype("<u4")
_REBUILD = "run `penchant rebuild records`, which makes them from the log"


def read_owned(snapshot: Snapshot, user: str) -> NDArray[np.uint32]:
    """The numbers of the user's own items, ascending, shape (n,).

    Raises:
        StateCorrupt, StateTooNew: they can't be read.
    """
    value = snapshot.get(encode(Kind.OWNED, user))
    try:
        return np.zeros(0, _NUMBER) if value is None else _decoded(value)
    except StateCorrupt as error:
        raise named(error, user, _REBUILD) from error


def has_owned(snapshot: Snapshot, user: str) -> bool:
    """Whether there is a row of the user's own items, readable or not."""
    return snapshot.get(encode(Kind.OWNED, user)) is not None


def write_owned(transaction: Transaction, user: str, numbers: Iterable[int]) -> None:
    """Replaces a user's own items; repeated numbers are stored once."""
    owned = np.array(sorted(set(numbers)), _NUMBER)
    transaction.put(encode(Kind.OWNED, user), codec.seal(owned.tobytes()))


def delete_owned(transaction: Transaction, user: str) -> None:
    """Removes the row, where nothing is the user's own any more."""
    transaction.delete(encode(Kind.OWNED, user))


@codec.sound("owned items")
def _decoded(value: bytes) -> NDArray[np.uint32]:
    return np.frombuffer(codec.unseal(value, "owned items"), _NUMBER)
