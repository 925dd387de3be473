"""The words of the domain: events, windows, records and the catalog, free of any protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
"""One vector, shape (d,), or one value per row, shape (n,)."""

Matrix = NDArray[np.float32]
"""Row vectors, shape (n, d)."""

Rows = NDArray[np.int64]
"""Row numbers of the item matrix, shape (n,)."""

WINDOW_DTYPE = np.dtype(
    [
        ("occurred_at_us", "<i8"),  # microseconds since 1970
        ("event", "<u8"),  # digest of the event id
        ("recommendation", "<u8"),  # digest of the recommendation id; 0: none
        ("item", "<u4"),  # the item's number
        ("reward", "<f4"),  # -1 to 1; an impression's is its default reward
        ("weight", "<f4"),  # 0 or more
        ("wait_s", "<f4"),  # an impression's wait window; NO_WAIT: not an impression
        ("propensity", "<f4"),  # an impression's; 0: not told
        ("context", "<u4", (5,)),  # `penchant.domain.context.slots_of`
    ]
)
"""One event as a user's record holds it: 64 bytes, little-endian."""

NO_WAIT = np.float32(-1.0)
"""`wait_s` of an event that is an answer by itself."""

Window = NDArray[np.void]
"""Events of one user, dtype WINDOW_DTYPE, sorted by time, then event digest; each event once."""


RECENT_DTYPE = np.dtype([("item", "<u4"), ("weight", "<f4")])
"""An item that a user turned to lately, and how much it counts: 8 bytes, little-endian."""

Recent = NDArray[np.void]
"""Some of them, dtype RECENT_DTYPE, shape (m,); the weights of all sum to 1."""


def _nothing_recent() -> Recent:
    return np.empty(0, RECENT_DTYPE)


@dataclass(frozen=True, slots=True)
class Item:
    """Something that can be ranked."""

    id: str
    text: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item as the store holds it."""

    item: Item
    number: int
    """The item's row in the item matrix; given once, never given again."""
    alive: bool
    """False: deleted, and kept so that its number stays its own."""


Context = tuple[tuple[str, str], ...]
"""Where and when something happens: keys and values, by key."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """How an item was exposed to its user, copied from the ranking; a zero stands for unknown."""

    position: int = 0
    """Place in the list, counted from 1."""
    propensity: float = 0.0
    """Probability of the item at its place, given the items above it."""
    propensity_estimated: bool = False
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a user did (or was shown) with an item, as the caller told it."""

    event_id: str
    user: str
    item: str
    signal: str
    value: float | None
    occurred_at_us: int
    recommendation_id: str = ""
    context: Context = ()
    exposure: Exposure | None = None


@dataclass(frozen=True, slots=True)
class LogRow:
    """An accepted event in the log."""

    event: Event
    state_version: int
    """The user's version that the event made."""
    accepted_at_us: int


@dataclass(frozen=True, slots=True)
class Record:
    """All that ranking needs of one user: nothing but events."""

    state_version: int
    """How many events of this user were accepted."""
    window: Window
    """The latest of them."""


@dataclass(frozen=True, slots=True)
class Interest:
    """What the fold makes of a window."""

    slow: Vector
    """Shape (d,): the lasting taste; (p d,): p of them, where the updater keeps as many."""
    fast: Vector
    """Shape (d,): the mean direction of the last few likes; zeros where there are none."""
    recent: Recent = field(default_factory=_nothing_recent)
    """What the neighbours of count (`penchant.domain.neighbours`)."""


@dataclass(frozen=True, slots=True)
class FoldKey:
    """What a fold depends on besides the record: equal keys, equal folds."""

    catalog_version: int
    time_bucket: int
    settings: int
    """Digest of the fold's settings."""
    context: int = 0
    """Digest of the context that it is folded for; 0: none, or the settings ask for none."""


@dataclass(frozen=True, slots=True)
class UserState:
    """A record with the cache of its fold."""

    record: Record
    key: FoldKey | None = None
    interest: Interest | None = None


@dataclass(frozen=True, slots=True)
class CatalogHead:
    """Where the catalog stands: the one value that a publisher switches and every reader reads."""

    version: int = 0
    """Grows whenever the vectors or the prior change under items already there."""
    generation: int = 0
    """Names the matrix file; 0: none yet."""
    rows: int = 0
    """Rows of the matrix in use, deleted items included; the next item's number."""
    alive: int = 0
    """Items that can be ranked."""
    log_length: int = 0
    """Entries of the catalog log."""
    dimensions: int = 0
    encoder_version: str = ""
    frozen_items: int = 0
    """Items that could be ranked when the version was made."""
    neighbours: int = 0
    """Names the file of neighbours; 0: none yet."""
    release: str = ""
    """Id of the release that is served; empty: none was published."""
    score_weights: str = "{}"
    """What the release sets of the fold's settings, as a JSON object."""


@dataclass(frozen=True, slots=True)
class Published:
    """An entry of the log of releases: what was served from then on."""

    release: str
    """Its id; empty: the configured encoder, before any release."""
    encoder_version: str
    action: str
    """`start`, `publish`, `rollback`; `shadow` or `canary` for a rollout, and its `end`."""
    at_us: int
    score_weights: str = "{}"
    """What it sets of the fold's settings, as a JSON object."""
    refresh: str = "{}"
    """Its settings of `penchant refresh`, as a JSON object."""
    note: str = ""
    """For people: why, and the figures."""

    @property
    def serves(self) -> bool:
        """Whether everybody was served by it from then on; a rollout leaves that as it was."""
        return self.action in ("start", "publish", "rollback")


@dataclass(frozen=True, slots=True)
class CatalogChange:
    """An entry of the catalog log: an item appeared or disappeared."""

    id: str
    number: int
    alive: bool


@dataclass(frozen=True, slots=True)
class Counters:
    """Decayed sums over all users' events about one item, as of `as_of_us`."""

    positives: float = 0.0
    """Weighted positive rewards."""
    impressions: float = 0.0
    """Times shown."""
    as_of_us: int = 0


class EventStatus(Enum):
    """What became of an event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class EventResult:
    """What became of one event, and why."""

    event_id: str
    status: EventStatus
    state_version: int
    reason: str = ""
    message: str = ""
