"""Is every acknowledged event in the store, once? Looked up after a load, in the store itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from loadtest.ack_ledger import NotedAcks
from penchant.store.accepted_events import read_accepted
from penchant.store.base import Snapshot, Store
from penchant.store.codec import decode_log_row
from penchant.store.keys import Kind, decode, encode
from penchant.store.users import scan_records


@dataclass(frozen=True, slots=True)
class KeptAcks:
    """Acknowledgements held against the store."""

    acknowledged: int
    """Events that were acknowledged, and not old enough to be deleted."""
    events: int
    """Events in the store's log."""
    lost: int
    """Acknowledged events that are not in the log."""
    doubled: int
    """Users for whom an event counts twice, or in whose numbering of events one is missing."""
    counted: int
    """Events that the store's own counter counts, deleted ones included."""
    degraded: int
    """Rankings that were made while the store was away."""

    deleted: bool = False
    """Whether retention deleted events meanwhile."""

    def broken(self) -> list[str]:
        """What is wrong, in words; empty if nothing is."""
        texts = []
        if self.lost:
            texts.append(f"acknowledged events: {self.lost} are not in the store, expected all")
        if self.doubled:
            texts.append(f"users: {self.doubled} have events that count twice or not at all")
        if self.counted < self.events or (self.counted > self.events and not self.deleted):
            texts.append(
                f"events: the store counts {self.counted}, expected the {self.events} in its log"
            )
        return texts


def held_against(
    store: Store, acks: NotedAcks, *, deleted_until_s: float | None = None
) -> KeptAcks:
    """Reads the whole log, with nobody writing any more.

    Args:
        store: the servers' store.
        acks: what they acknowledged.
        deleted_until_s: epoch seconds up to which retention may have deleted events; None: nothing
            was deleted, and so every user's events are numbered from 1 without a gap.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    settle = getattr(store, "settle", None)
    if settle is not None:
        settle()
    kept: set[tuple[str, str]] = set()
    events, doubled = 0, 0
    with store.snapshot() as snapshot:
        versions = {user: version for user, version, _ in scan_records(snapshot)}
        for user, numbers, ids in _logs(snapshot):
            events += len(ids)
            kept |= {(user, event_id) for event_id in ids}
            last = versions.get(user, 0)
            first = 1 if deleted_until_s is None else last - len(numbers) + 1
            doubled += sorted(numbers) != list(range(first, last + 1))
        counted = read_accepted(snapshot)
    since_s = deleted_until_s or 0.0
    due = {pair for pair, at_s in acks.events.items() if at_s > since_s}
    deleted = deleted_until_s is not None
    return KeptAcks(len(due), events, len(due - kept), doubled, counted, acks.degraded, deleted)


def _logs(snapshot: Snapshot) -> Iterator[tuple[str, list[int], list[str]]]:
    """Of each user: the numbers of the events in the log, and their ids."""
    scanned = snapshot.scan(encode(Kind.LOG))
    for user, found in itertools.groupby(scanned, key=lambda row: str(decode(row[0])[1][0])):
        rows = [decode_log_row(value) for _, value in found]
        yield user, [row.state_version for row in rows], [row.event.event_id for row in rows]
