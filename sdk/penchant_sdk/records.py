"""Results about stored data: items, users, event logs and vectors."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from penchant_sdk.types import Event, Item


@dataclass(frozen=True, slots=True)
class PutItemsResult:
    """Result of `put_items`: all items are durable and can be ranked."""

    catalog_version: int
    """New version of the item vectors."""
    encoder_version: str
    changed: int
    """Number of items that are new, or have a new text or new attributes."""
    unchanged: int
    """Number of items that were already stored with the same content."""
    encoded: int
    """Number of texts encoded; the vectors of the others were stored already."""
    item_count: int
    """Number of items in the catalog."""


@dataclass(frozen=True, slots=True)
class DeleteItemsResult:
    """Result of `delete_items`: no ranking contains the items any more."""

    catalog_version: int
    deleted: int
    """Number of items deleted."""
    unknown: tuple[str, ...]
    """Ids that the catalog did not hold."""
    item_count: int
    """Number of items left in the catalog."""


@dataclass(frozen=True, slots=True)
class GetItemsResult:
    """Result of `get_items`: items as they were put, in the order of the ids."""

    items: tuple[Item, ...]
    unknown: tuple[str, ...]
    """Ids that the catalog does not hold."""
    catalog_version: int
    encoder_version: str
    item_count: int
    """Number of items in the catalog."""


@dataclass(frozen=True, slots=True)
class MergedUsers:
    """Result of `merge_users`: durable, and seen by rankings."""

    moved_events: int
    """Number of events that were moved; one that both users had is not counted."""
    state_version: int
    """State version of the user that is kept, for `min_state_version`; 0: no event of either."""


@dataclass(frozen=True, slots=True)
class WindowEvent:
    """An event in a user's window."""

    item: str
    """Empty if the item was deleted."""
    occurred_at: datetime
    """UTC."""
    reward: float
    """Reward of the event according to the signal table, -1 to 1."""
    weight: float
    """Weight of the event before forgetting, 0 or more."""


@dataclass(frozen=True, slots=True)
class UserState:
    """A user's record: the window of events, and the interest computed from it."""

    user: str
    state_version: int
    """Number of accepted events of this user."""
    window: tuple[WindowEvent, ...]
    """The latest events, newest first."""
    catalog_version: int
    """Version of the item vectors from which the interest was computed."""
    slow: tuple[float, ...]
    """Long-term interest, in the space of the item vectors."""
    fast: tuple[float, ...]
    """Interest of the latest likes, in the same space."""


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One row of a user's event log."""

    event: Event
    """The event as accepted; `occurred_at` is a UTC datetime."""
    state_version: int
    """The user's state version right after this event."""
    accepted_at: datetime
    """Time at which the server accepted the event, UTC."""
    cost_micros: int | None = None
    """Cost of an impression that confirmed a reservation, in millionths of the currency; None: the
    event confirmed none."""
    reserved_at: datetime | None = None
    """Time of that reservation, UTC; None: the event confirmed none."""


@dataclass(frozen=True, slots=True)
class KeptRow:
    """Something that is stored about a user beside the events."""

    kind: str
    """`record`, `own_items`, `reservations`, `ledger`, `past_ledger`, `contributions` or
    `forgotten`."""
    fields: dict[str, Any]
    """As the guide on personal data describes them."""


@dataclass(frozen=True, slots=True)
class ForgetReceipt:
    """That a user was forgotten; the same for every repetition."""

    id: str
    """Random; empty from a server that gives no receipts."""
    forgotten_at: datetime
    """When, UTC."""
    deleted: dict[str, int]
    """Rows by kind: `events` and those of `KeptRow.kind`; kinds without a row are left out."""

    @property
    def deleted_events(self) -> int:
        """Rows of the event log."""
        return self.deleted.get("events", 0)


@dataclass(frozen=True, slots=True)
class UserExport:
    """Everything stored about a user: the record, every row of the event log, and the rest."""

    state: UserState
    events: tuple[LoggedEvent, ...]
    """In order of state version."""
    kept: tuple[KeptRow, ...] = ()
    """What is stored beside the events."""

    def to_json_ready(self) -> dict[str, Any]:
        """The export as dicts, lists, strings and numbers; times are ISO 8601 strings in UTC."""
        state = self.state
        return {
            "user": state.user,
            "state_version": state.state_version,
            "catalog_version": state.catalog_version,
            "slow": list(state.slow),
            "fast": list(state.fast),
            "window": [
                {
                    "item": event.item,
                    "occurred_at": event.occurred_at.isoformat(),
                    "reward": event.reward,
                    "weight": event.weight,
                }
                for event in state.window
            ],
            "events": [_row_to_json_ready(row) for row in self.events],
            "kept": [{"kind": row.kind, **row.fields} for row in self.kept],
        }


def _row_to_json_ready(row: LoggedEvent) -> dict[str, Any]:
    event = row.event
    when = event.occurred_at
    return {
        "event_id": event.event_id,
        "item": event.item,
        "signal": event.signal,
        "value": event.value,
        "occurred_at": when.isoformat() if isinstance(when, datetime) else when,
        "recommendation_id": event.recommendation_id,
        "context": dict(event.context),
        "exposure": None if event.exposure is None else asdict(event.exposure),
        "state_version": row.state_version,
        "accepted_at": row.accepted_at.isoformat(),
        "cost_micros": row.cost_micros,
        "reserved_at": None if row.reserved_at is None else row.reserved_at.isoformat(),
    }


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors of unit length, in the order of the texts.

    `embeddings[0]` is a tuple of floats. NumPy reads the vectors without a copy:
    `numpy.frombuffer(embeddings.data, "<f4").reshape(len(embeddings), embeddings.dimensions)`.

    >>> two = Embeddings(data=struct.pack("<4f", 1, 0, 0, 1), dimensions=2, encoder_version="e")
    >>> len(two), two[1]
    (2, (0.0, 1.0))
    """

    data: bytes
    """Little-endian float32 in row-major order, shape (texts, dimensions)."""
    dimensions: int
    """Number of dimensions of each vector."""
    encoder_version: str

    def __len__(self) -> int:
        return len(self.data) // (4 * self.dimensions) if self.dimensions else 0

    def __getitem__(self, index: int) -> tuple[float, ...]:
        row = range(len(self))[index]
        return struct.unpack_from(f"<{self.dimensions}f", self.data, 4 * self.dimensions * row)

    def __iter__(self) -> Iterator[tuple[float, ...]]:
        return (self[index] for index in range(len(self)))
