"""What the server holds, read back: items, users, logs and vectors, all frozen."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from penchant_sdk.types import Event, Item


@dataclass(frozen=True, slots=True)
class PutItemsResult:
    """The items are durable and rankable."""

    catalog_version: int
    """The version of the item vectors from now on."""
    encoder_version: str
    changed: int
    """Items that are new or whose text or attributes changed."""
    unchanged: int
    """Items that were there already, letter for letter."""
    encoded: int
    """Texts that had to be encoded; the encoder knew the others."""
    item_count: int
    """Items in the catalog now."""


@dataclass(frozen=True, slots=True)
class DeleteItemsResult:
    """The items are gone from every ranking."""

    catalog_version: int
    deleted: int
    """How many were there."""
    unknown: tuple[str, ...]
    """Ids that the catalog did not hold."""
    item_count: int
    """Items in the catalog now."""


@dataclass(frozen=True, slots=True)
class GetItemsResult:
    """Items as they were put, in the order asked for."""

    items: tuple[Item, ...]
    unknown: tuple[str, ...]
    """Ids that the catalog does not hold."""
    catalog_version: int
    encoder_version: str
    item_count: int
    """Items in the whole catalog."""


@dataclass(frozen=True, slots=True)
class WindowEvent:
    """An event as the user's window holds it."""

    item: str
    """Empty where the item was deleted."""
    occurred_at: datetime
    """UTC."""
    reward: float
    """What the signal table made of it, -1 to 1."""
    weight: float
    """0 or more, before any forgetting."""


@dataclass(frozen=True, slots=True)
class UserState:
    """What is known of a user."""

    user: str
    state_version: int
    """How many events of this user were accepted."""
    window: tuple[WindowEvent, ...]
    """The latest events, newest first: what the interest is folded from."""
    catalog_version: int
    """The catalog version that the interest is folded with."""
    slow: tuple[float, ...]
    """The lasting taste, in the space of the item vectors."""
    fast: tuple[float, ...]
    """The taste of the last few likes, in the same space."""


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One row of a user's event log."""

    event: Event
    """As accepted; its `occurred_at` is a UTC datetime."""
    state_version: int
    """The user's state version that it made."""
    accepted_at: datetime
    """When the server accepted it, UTC."""


@dataclass(frozen=True, slots=True)
class UserExport:
    """All that is known of a user: the record and every row of the log."""

    state: UserState
    events: tuple[LoggedEvent, ...]
    """By state version."""

    def to_json_ready(self) -> dict[str, Any]:
        """Dicts, lists, texts and numbers for `json.dumps`; times are ISO 8601 texts in UTC."""
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
        "state_version": row.state_version,
        "accepted_at": row.accepted_at.isoformat(),
    }


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Unit vectors in the order of the texts.

    `embeddings[0]` is a tuple of floats. With NumPy, without a copy:
    `numpy.frombuffer(embeddings.data, "<f4").reshape(len(embeddings), embeddings.dimensions)`.

    >>> two = Embeddings(data=struct.pack("<4f", 1, 0, 0, 1), dimensions=2, encoder_version="e")
    >>> len(two), two[1]
    (2, (0.0, 1.0))
    """

    data: bytes
    """Row-major little-endian float32, shape (texts, dimensions)."""
    dimensions: int
    """Length of one vector."""
    encoder_version: str

    def __len__(self) -> int:
        return len(self.data) // (4 * self.dimensions) if self.dimensions else 0

    def __getitem__(self, index: int) -> tuple[float, ...]:
        row = range(len(self))[index]
        return struct.unpack_from(f"<{self.dimensions}f", self.data, 4 * self.dimensions * row)

    def __iter__(self) -> Iterator[tuple[float, ...]]:
        return (self[index] for index in range(len(self)))
