"""Makes users' records from their logs in other processes, share by share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from penchant.domain.errors import StateCorrupt
from penchant.domain.rewards import SignalTable
from penchant.service.rebuilt_records import MadeRecord, MakeRecords, made_record
from penchant.store.open import open_store
from penchant.system.workers import Workers


@dataclass(frozen=True, slots=True)
class RecordShare:
    """Users whose records one process makes."""

    address: str
    """Of the store."""
    users: tuple[str, ...]
    signals: SignalTable
    window_events: int


MakeShare = Callable[[RecordShare], list[MadeRecord]]


def make_share(share: RecordShare) -> list[MadeRecord]:
    """Makes the records of one share; users whose log can't be read are left out."""
    store = open_store(share.address, map_bytes=0)  # As large as its writer made it.
    made = []
    try:
        with store.snapshot() as snapshot:
            for user in share.users:
                try:
                    one = made_record(snapshot, user, share.signals, share.window_events)
                except StateCorrupt:
                    continue  # The one who writes says so.
                if one is not None:
                    made.append(one)
    finally:
        store.close()
    return made


def record_workers(
    address: str,
    signals: SignalTable,
    window_events: int,
    workers: Workers,
    make: MakeShare = make_share,
) -> MakeRecords | None:
    """What makes records for `rebuild_records` elsewhere; None: the caller's own process does.

    Args:
        address: of the store.
        signals: rewards of the signals.
        window_events: size of the window.
        workers: who makes them.
        make: makes the records of a share.
    """
    if workers.alone:
        return None
    return partial(_made, address, signals, window_events, workers, make)


def _made(
    address: str,
    signals: SignalTable,
    window_events: int,
    workers: Workers,
    make: MakeShare,
    shares: Sequence[Sequence[str]],
) -> Iterator[list[MadeRecord]]:
    given = [RecordShare(address, tuple(users), signals, window_events) for users in shares]
    return workers.worked(make, given)
