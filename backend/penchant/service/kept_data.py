"""All that is kept about a user beside the events, row by row and in words: the rest of an export.

The kinds are those of `penchant.store.keys.USER_PLACE`, so that what is forgotten is also exported.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penchant.domain.errors import UserNotFound
from penchant.domain.frequency_caps import NOT_SHOWN, Ledger
from penchant.domain.pseudonyms import called, name_of
from penchant.service.item_counts import readable_contribution
from penchant.store.base import Snapshot
from penchant.store.item_contributions import contribution_keys
from penchant.store.items import item_keys, read_sound_item
from penchant.store.keys import Kind
from penchant.store.ledgers import read_ledger
from penchant.store.owned import read_owned
from penchant.store.reservation_log import read_past_ledger, scan_reserved
from penchant.store.ship_notes import read_erasure
from penchant.store.tombstones import read_tombstone
from penchant.store.users import holds_user, read_user, scan_log

KIND_NAMES = {
    Kind.LOG: "events",
    Kind.USER: "record",
    Kind.OWNED: "own_items",
    Kind.RESERVED: "reservations",
    Kind.LEDGER: "ledger",
    Kind.PAST_LEDGER: "past_ledger",
    Kind.CONTRIBUTION: "contributions",
    Kind.TOMBSTONE: "forgotten",
}
"""The kinds of rows about a user, as exports and receipts call them."""

PAGE_BYTES = 1 << 20
"""Bytes of JSON after which a page ends."""

_ROWS_AT_ONCE = 500
"""Rows read between two pauses."""

_Fields = dict[str, Any]
_Rows = Iterator[_Fields | None]
"""Rows in words; None stands for one that was only looked at."""


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """A page of what is kept about a user beside the events."""

    user: str
    start: int = 0
    """Rows of earlier pages."""


@dataclass(frozen=True, slots=True)
class KeptRow:
    """One row, in words."""

    kind: str
    """A value of `KIND_NAMES`."""
    json: str
    """A JSON object."""


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A part of the rows, always in the same order."""

    rows: list[KeptRow]
    next_start: int = 0
    """`start` of the next page; 0 on the last one."""


def not_found(user: str) -> UserNotFound:
    """The error for a user about whom nothing is kept."""
    return UserNotFound(f"user: no event of {called(user)[:64]!r} was ever accepted")


def kept_in_slices(
    snapshot: Snapshot, request: KeptRequest, ids: Sequence[str]
) -> Generator[None, None, KeptPage]:
    """A page of the rows, with a pause now and then.

    Args:
        snapshot: the store.
        request: the user, and where the page begins.
        ids: item ids by number.

    Returns:
        The page. Cost: reads the rows of earlier pages as well; for the contributions, which come
        last, the user's log.

    Raises:
        UserNotFound: nothing is kept, not even a tombstone.
        StateCorrupt, StateTooNew: a row can't be read.
    """
    buried = read_tombstone(snapshot, request.user) is not None
    if not buried and not holds_user(snapshot, request.user):
        raise not_found(request.user)
    rows: list[KeptRow] = []
    place, size = 0, 0
    for kind, read in _READERS.items():
        for turn, fields in enumerate(read(snapshot, request.user, ids), start=1):
            if turn % _ROWS_AT_ONCE == 0:
                yield
            if fields is None:
                continue
            if place >= request.start:
                if size > PAGE_BYTES:
                    return KeptPage(rows, place)
                text = json.dumps(fields, separators=(",", ":"))
                rows.append(KeptRow(KIND_NAMES[kind], text))
                size += len(text)
            place += 1
    return KeptPage(rows)


def _record(snapshot: Snapshot, user: str, ids: Sequence[str]) -> _Rows:
    state = read_user(snapshot, user)
    if state is not None:
        interest = state.interest
        yield {
            "state_version": state.record.state_version,
            "window": [_named_item(row, ids) for row in _rows_of(state.record.window)],
            "slow": [] if interest is None else interest.slow.tolist(),
            "fast": [] if interest is None else interest.fast.tolist(),
        }


def _own_items(snapshot: Snapshot, user: str, ids: Sequence[str]) -> _Rows:
    for number in read_owned(snapshot, user).tolist():
        yield {"item": _id_of(number, ids)}


def _reservations(snapshot: Snapshot, user: str, ids: Sequence[str]) -> _Rows:
    for recommendation_id, impression in scan_reserved(snapshot, user):
        yield {"recommendation_id": recommendation_id, **dataclasses.asdict(impression)}


def _ledger(snapshot: Snapshot, user: str, ids: Sequence[str]) -> _Rows:
    return _entries(read_ledger(snapshot, user))


def _past_ledger(snapshot: Snapshot, user: str, ids: Sequence[str]) -> _Rows:
    return _entries(read_past_ledger(snapshot, user))


def _contributions(snapshot: Snapshot, user: str, ids: Sequence[str]) -> _Rows:
    named = set()
    for _, row, _ in scan_log(snapshot, user):
        named.add(row.event.item)
        yield None
    items = sorted(named)
    snapshot.fetch(item_keys(items))
    numbers = []
    for item in items:
        stored = read_sound_item(snapshot, item)
        if stored is not None:
            numbers.append((item, stored.number))
        yield None
    snapshot.fetch(contribution_keys((number for _, number in numbers), user))
    for item, number in numbers:
        found = readable_contribution(snapshot, number, user)
        yield None if found is None else {"item": item, **dataclasses.asdict(found)}


def _forgotten(snapshot: Snapshot, user: str, ids: Sequence[str]) -> _Rows:
    tombstone = read_tombstone(snapshot, user)
    if tombstone is not None:
        receipt = dataclasses.asdict(tombstone.receipt)
        fields: _Fields = {"until_us": tombstone.until_us, "receipt": receipt}
        erasure = read_erasure(snapshot, name_of(user))
        if erasure is not None and erasure.receipt == tombstone.receipt.id:
            hidden_at_us, erased_at_us = erasure.hidden_at_us, erasure.erased_at_us
            fields["shipped"] = {"hidden_at_us": hidden_at_us, "erased_at_us": erased_at_us}
        yield fields


_READERS: dict[Kind, Callable[[Snapshot, str, Sequence[str]], _Rows]] = {
    Kind.USER: _record,
    Kind.OWNED: _own_items,
    Kind.RESERVED: _reservations,
    Kind.LEDGER: _ledger,
    Kind.PAST_LEDGER: _past_ledger,
    Kind.CONTRIBUTION: _contributions,
    Kind.TOMBSTONE: _forgotten,
}
"""Every kind but the log, whose rows are events."""


def _entries(ledger: Ledger) -> Iterator[_Fields]:
    """A ledger's entries; digests as hexadecimal text, since JSON's numbers are not exact."""
    for row in _rows_of(ledger):
        shown_at_us = row["shown_at_us"]
        yield {**row, "shown_at_us": None if shown_at_us == NOT_SHOWN else shown_at_us}


def _rows_of(array: NDArray[np.void]) -> Iterator[_Fields]:
    names = array.dtype.names or ()
    for row in array:
        yield {name: _plain(row[name]) for name in names}


def _plain(value: Any) -> Any:
    if value.dtype == np.uint64:
        return f"{int(value):016x}"
    return value.tolist()


def _named_item(row: _Fields, ids: Sequence[str]) -> _Fields:
    return {**row, "item": _id_of(row["item"], ids)}


def _id_of(number: int, ids: Sequence[str]) -> str:
    return ids[number] if number < len(ids) else ""
