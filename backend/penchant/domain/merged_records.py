"""One record of two: the window that a user would have had if both users' events were theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from penchant.domain.types import Record, Window
from penchant.domain.window import insert


def merged_record(record: Record, other: Window, ids: Mapping[int, int], capacity: int) -> Record:
    """Adds another user's window to a record; exact, since a window is an ordered set.

    Args:
        record: the record to add to.
        other: the window of the other user.
        ids: the digest that each of the other's events has from now on, by the one before; events
            that are missing here are the same as events of the first user.
        capacity: size limit of the window, in events, 1 or more.

    Returns:
        The record, with its state version raised by the number of events in `ids`.
    """
    rows = other.copy()
    kept = [place for place, digest in enumerate(rows["event"].tolist()) if digest in ids]
    rows = rows[kept]
    rows["event"] = [ids[digest] for digest in rows["event"].tolist()]
    window = insert(record, [rows.tobytes()] if len(rows) else [], capacity).window
    return Record(record.state_version + len(ids), window)


def moved_event_id(user: str, event_id: str) -> str:
    """The id of a moved event whose own stands for another event of the user that it moves to.

    >>> moved_event_id("visitor", "1") == moved_event_id("visitor", "1")
    True
    """
    text = f"{len(user)}:{user}{event_id}"
    return f"moved-{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}"
