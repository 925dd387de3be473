"""Finds out which rows of a store are in a shipped log by their content, not by state versions.

State versions do, unless something got lost: a backup of the store was restored, a run was killed
between its commit and the store's note of it, or a full store had no room for a note.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable

import numpy as np

from penchant.domain.types import LogRow
from penchant.logs.shipped.pending_rows import IsShipped, marks_of
from penchant.logs.shipped.shipped_marks import MarksByName
from penchant.logs.shipped.shipped_place import ShippedPlace, read_columns
from penchant.logs.shipped.shipped_state import ShippedMark, ShippedState
from penchant.store.base import Snapshot
from penchant.store.keys import Kind, decode, encode
from penchant.store.ship_notes import ShipNote, ShippingState, read_erasure
from penchant.store.tombstones import decode_tombstone

NO_TOKEN = "0" * 32
"""The token of a log without a commit."""

CLOCKS_DIFFER_US = 3_600_000_000
"""By which the clocks of machines may differ, at most."""
_DIGEST = 16


def is_in_step(state: ShippedState, shipping: ShippingState) -> bool:
    """Whether a store knows a log's last commit, or has begun it."""
    return (state.token or NO_TOKEN) in (shipping.done, shipping.begun)


def needs_recount(state: ShippedState, shipping: ShippingState) -> bool:
    """Whether state versions can't tell what is shipped."""
    return (
        state.recounting
        or shipping.losses != state.losses
        or shipping.done != (state.token or NO_TOKEN)
    )


def lost_marks(
    snapshot: Snapshot, state: ShippedState, shipping: ShippingState, notes: Iterable[ShipNote]
) -> list[ShippedMark]:
    """The marks of users that were forgotten while a full store had no room to note it.

    Args:
        snapshot: the store.
        state: of the log.
        shipping: the store's own row.
        notes: those that are not answered yet.
    """
    if shipping.losses == state.losses:
        return []
    noted = {note.receipt for note in notes}
    marks = []
    for key, value in snapshot.scan(encode(Kind.TOMBSTONE)):
        name, receipt = str(decode(key)[1][0]), decode_tombstone(value).receipt
        erasure = read_erasure(snapshot, name)
        known = receipt.id in noted or (erasure is not None and erasure.receipt == receipt.id)
        if not known and receipt.at_us >= shipping.at_us - CLOCKS_DIFFER_US:
            marks.append(ShippedMark("forgotten", name, receipt=receipt.id))
    return marks


def shipped_rows_by_content(
    place: ShippedPlace,
    state: ShippedState,
    notes: Iterable[ShipNote],
    lost: Iterable[ShippedMark] = (),
) -> IsShipped:
    """A test that tells whether a row of the store is in the files.

    Args:
        place: of the log.
        state: of the log.
        notes: those of the store that are not answered yet, which count as marks.
        lost: marks that no note stands for.

    Cost: reads two columns of all files; 16 bytes of memory a row.
    """
    later = [
        dataclasses.replace(mark, sequence=state.sequence + 1) for mark in [*marks_of(notes), *lost]
    ]
    marks = MarksByName([*state.marks, *later])
    parts = []
    for file in state.files.values():
        table = read_columns(place, file.name, ["user", "event_id", "occurred_at"])
        table = marks.applied(table, file.sequence)
        pairs = zip(table["user"].to_pylist(), table["event_id"].to_pylist(), strict=True)
        parts.append(np.array([_digest(user, id_) for user, id_ in pairs], f"S{_DIGEST}"))
    known = np.sort(np.concatenate([np.empty(0, f"S{_DIGEST}"), *parts]))

    def is_shipped(row: LogRow) -> bool:
        mine = _digest(row.event.user, row.event.event_id)
        place_of = int(np.searchsorted(known, np.bytes_(mine)))
        return place_of < len(known) and bytes(known[place_of]) == mine

    return is_shipped


def _digest(user: str, event_id: str) -> bytes:
    """Of a row, without zeros at its end: an array of bytes has none."""
    content = f"{user}\0{event_id}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(content, digest_size=_DIGEST).digest().rstrip(b"\0")
