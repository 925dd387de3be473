"""The types of the domain: events, windows, records and the catalog, free of any protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from penchant.domain.exact_sums import NOTHING, ExactSum

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
        ("propensity", "<f2"),  # an impression's; 0: unknown
        ("signal", "<u2"),  # `penchant.domain.signal_weights.signal_code`; 0: unknown
        ("context", "<u4", (5,)),  # `penchant.domain.context.slots_of`
    ]
)
"""One event as a user's record holds it: 64 bytes, little-endian."""

NO_WAIT = np.float32(-1.0)
"""`wait_s` of an event that is not an impression."""

Window = NDArray[np.void]
"""Events of one user, dtype WINDOW_DTYPE, sorted by time, then event digest; each event once."""


RECENT_DTYPE = np.dtype([("item", "<u4"), ("weight", "<f4")])
"""A recently liked item and its weight: 8 bytes, little-endian."""

Recent = NDArray[np.void]
"""Recently liked items, dtype RECENT_DTYPE, shape (m,); the weights sum to 1."""


def _nothing_recent() -> Recent:
    return np.empty(0, RECENT_DTYPE)


@dataclass(frozen=True, slots=True)
class Item:
    """An item that can be ranked."""

    id: str
    text: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item as the store holds it."""

    item: Item
    number: int
    """The item's row in the item matrix; never reused."""
    alive: bool
    """False: deleted, and kept so that its number is not reused."""


Context = tuple[tuple[str, str], ...]
"""The circumstances of a ranking or an event: pairs of key and value, sorted by key."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """How an item was shown to its user, copied from the ranking; zeros mean unknown."""

    position: int = 0
    """Place in the list, counted from 1."""
    propensity: float = 0.0
    """Probability of the item at its place, given the items above it."""
    propensity_estimated: bool = False
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Event:
    """An action of a user on an item, or an impression, as the caller reported it."""

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
class Receipt:
    """The charge of an impression that confirmed a reservation."""

    budget: int
    """Digest of the budget's key; 0: the impression was free."""
    cost_micros: int
    reserved_at_us: int
    """Time of the reservation, in microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class LogRow:
    """An accepted event in the log."""

    event: Event
    state_version: int
    """The user's state version after the event."""
    accepted_at_us: int
    receipt: Receipt | None = None
    """None: the event confirmed no reservation, or an older release accepted it."""


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that a ranking needs to know about one user: nothing but events."""

    state_version: int
    """Number of accepted events of this user."""
    window: Window
    """The latest events."""


@dataclass(frozen=True, slots=True)
class Interest:
    """The result of folding a window."""

    slow: Vector
    """The lasting taste, shape (d,), or p of them, shape (p d,), if the updater keeps p."""
    fast: Vector
    """The mean direction of the last few likes, shape (d,); zeros without likes."""
    recent: Recent = field(default_factory=_nothing_recent)
    """The items whose neighbours count (`penchant.domain.neighbours`)."""


@dataclass(frozen=True, slots=True)
class FoldKey:
    """The inputs of a fold besides the record: equal keys give equal folds."""

    catalog_version: int
    time_bucket: int
    settings: int
    """Digest of the fold's settings."""
    context: int = 0
    """Digest of the context; 0: no context, or the settings ignore contexts."""


@dataclass(frozen=True, slots=True)
class UserState:
    """A record with the cache of its fold."""

    record: Record
    key: FoldKey | None = None
    interest: Interest | None = None


@dataclass(frozen=True, slots=True)
class CatalogHead:
    """The state of the catalog: the one value that a publisher switches and every reader reads."""

    version: int = 0
    """Grows whenever the vectors or the prior of existing items change."""
    generation: int = 0
    """Number of the matrix file; 0: none yet."""
    rows: int = 0
    """Rows of the matrix in use, including deleted items; also the next item's number."""
    alive: int = 0
    """Rankable items."""
    log_length: int = 0
    """Entries of the catalog log."""
    dimensions: int = 0
    encoder_version: str = ""
    frozen_items: int = 0
    """Rankable items when the version was made."""
    neighbours: int = 0
    """Number of the neighbours file; 0: none yet."""
    release: str = ""
    """Id of the served release; empty before the first one."""
    score_weights: str = "{}"
    """Settings of the fold that the release overrides, as a JSON object."""
    vectors_crc: int | None = None
    """CRC-32 of the rows of the matrix file; None: written by an older release."""
    texts_crc: int | None = None
    """CRC-32 of the rows of the file of text vectors; None: no such file."""
    version_crc: int | None = None
    """CRC-32 of the version's file; None as above."""
    neighbours_crc: int | None = None
    """CRC-32 of the neighbours file; None as above, or without such a file."""
    lost: str = ""
    """Parts that were damaged and that only a refresh can make again, for people to read."""


@dataclass(frozen=True, slots=True)
class Published:
    """An entry of the log of releases."""

    release: str
    """The release's id; empty for the configured encoder, before any release."""
    encoder_version: str
    action: str
    """`start`, `publish`, `rollback`; `shadow` or `canary` for a rollout, and its `end`."""
    at_us: int
    score_weights: str = "{}"
    """Settings of the fold that the release overrides, as a JSON object."""
    refresh: str = "{}"
    """The release's settings for `penchant refresh`, as a JSON object."""
    note: str = ""
    """The reason and the figures, for people to read."""

    @property
    def serves(self) -> bool:
        """Whether the entry changed what all users are served; rollouts do not."""
        return self.action in ("start", "publish", "rollback")


@dataclass(frozen=True, slots=True)
class CatalogChange:
    """An entry of the catalog log: an item appeared or disappeared."""

    id: str
    number: int
    alive: bool


@dataclass(frozen=True, slots=True)
class ExactCounters:
    """The sums behind counters before any decay; see `penchant.domain.exact_sums`."""

    half_life_us: int
    positives: ExactSum = NOTHING
    impressions: ExactSum = NOTHING


@dataclass(frozen=True, slots=True)
class Counters:
    """Decayed sums over all users' events on one item, as of `as_of_us`."""

    positives: float = 0.0
    """Weighted positive rewards."""
    impressions: float = 0.0
    """Times shown."""
    as_of_us: int = 0
    exact: ExactCounters | None = field(default=None, repr=False, compare=False)
    """None: of an older release, or of one part alone."""
