"""The compiled functions, as `src/` binds them."""

from collections.abc import Callable, Sequence
from typing import final

import numpy as np
from numpy.typing import NDArray

INTERFACE: int
"""Grows with every change of a signature here; a backend takes the number that it knows alone."""

def crc32(data: bytes, start: int = 0) -> int:
    """The CRC-32 of some bytes, as `zlib.crc32` computes it."""

@final
class RankLimits:
    """The maxima of a call of rank that is answered here."""

    def __init__(
        self,
        *,
        k: int,
        candidates: int,
        id_bytes: int,
        context_entries: int,
        context_bytes: int,
        candidates_of_cost: int,
    ) -> None:
        """Takes the maxima of `penchant.domain.limits`.

        Args:
            k: items of a ranking.
            candidates: of a ranking.
            id_bytes: of the id of a user or an item.
            context_entries: of a context.
            context_bytes: of a context's key, and of its value.
            candidates_of_cost: candidates that add 1 to a call's cost, 1 or more.
        """

@final
class RankCall:
    """A call of rank, parsed."""

    @property
    def user(self) -> str: ...
    @property
    def candidates(self) -> int:
        """Number of candidates."""
    @property
    def cost(self) -> float:
        """See `penchant.server.plans.rank_plan`."""
    @property
    def timeout_ms(self) -> int: ...
    @property
    def health_check(self) -> bool: ...
    @property
    def exclude_owned(self) -> bool: ...

def parse_rank_call(payload: bytes, limits: RankLimits) -> RankCall | None:
    """Parses a serialized `penchant.v1.Call`; None for what it leaves to the general path."""

@final
class ItemIds:
    """The ids of a catalog's items, by number."""

    def __init__(self) -> None: ...
    def __len__(self) -> int: ...
    def follow(self, ids: list[str]) -> None:
        """Adds the ids beyond those that are known; ids that were there never change."""

def coarse_size(rows: int, dimensions: int) -> int:
    """Bytes of the coarse rows of so many vectors: a few, and 4 + d for each."""

def write_coarse_rows(vectors: NDArray[np.float32], content: NDArray[np.uint8]) -> None:
    """Writes rows in a byte a number, from which a `RankView` tells which few matter.

    Args:
        vectors: shape (n, d).
        content: gets the same bytes on every machine, shape (coarse_size(n, d),).

    Raises ValueError if the shapes do not fit. Cost: O(n d), without Python's lock.
    """

@final
class RankView:
    """One version of the catalog, which answers calls of rank."""

    def __init__(
        self,
        *,
        ids: ItemIds,
        vectors: NDArray[np.float32],
        offsets: NDArray[np.float32],
        offset_weights: NDArray[np.float32],
        popularity: NDArray[np.float32],
        tail: NDArray[np.float32],
        alive: NDArray[np.bool_],
        neighbours: NDArray[np.uint32],
        prior_mean: NDArray[np.float32],
        coarse: NDArray[np.uint8] | None,
        version: int,
        encoder_version: str,
        digest: int,
        time_bucket_s: float,
        interests: int,
        slow_weight: float,
        fast_weight: float,
        near_weight: float,
        tail_offset_weight: float,
        tail_lift: float,
        opening_offset_weight: float,
        knows_contexts: bool,
        repeat_weight: float,
        repeat_half_life_s: float,
        repeat_pause_s: float,
        repeat_basket_weight: float,
        fold: FoldTerms | None,
    ) -> None:
        """Keeps the arrays of a `CatalogView`, uncopied; raises ValueError if they do not fit.

        Args:
            ids: of all rows, or more.
            vectors: shape (rows, d).
            offsets: the live ones, shape (rows,).
            offset_weights: shape (rows,).
            popularity: shape (rows,).
            tail: g_i of `penchant.domain.long_tail`, shape (rows,).
            alive: shape (rows,).
            neighbours: the table's pairs of an item and the bits of a strength, shape (n, 2 w).
            prior_mean: shape (d,).
            coarse: what `write_coarse_rows` wrote of the first rows, at an address that floats
                may have, taken for right; None: the whole catalog is ranked without. The rankings
                are the same.
            version: the catalog's.
            encoder_version: the catalog's.
            digest: the view's.
            time_bucket_s: step of the fold's clock, 1 or more.
            interests: slow interests of a user, 1 or more.
            slow_weight: sigma.
            fast_weight: gamma.
            near_weight: delta.
            tail_offset_weight: c_tail.
            tail_lift: l.
            opening_offset_weight: c_open of `penchant.domain.beginners`.
            knows_contexts: whether a context changes a ranking.
            repeat_weight: rho; this and the next as in `penchant.domain.settings.FoldSettings`.
            repeat_half_life_s: see there.
            repeat_pause_s: see there.
            repeat_basket_weight: see there.
            fold: folds a record whose cache is stale, and has the factors of signals; None: such
                a call is declined, and no signal has a factor.
        """

    def answer(
        self,
        calls: list[RankCall | None],
        names: list[str],
        get: Callable[[bytes], bytes | None],
        newest: bytes | None,
        now_us: int,
        explorations_per_day: int,
    ) -> tuple[list[bytes | None], list[bytes], int, int, float]:
        """Answers calls, or declines them.

        Args:
            calls: None: left out.
            names: of each one's user, in the store.
            get: gives a row of the store by its key, all from one snapshot; what it raises goes on.
            newest: the row of the newest event's time.
            now_us: the server's time, in microseconds since 1970.
            explorations_per_day: explored impressions that a user may get in a day.

        Returns:
            One serialized reply per call, None where the general path answers; of each reply, the
            rows of its first ten items at most, as int64; how many users were new; how many folds
            were made, and the seconds that they took.
        """

@final
class FeedbackLimits:
    """The maxima of a call of feedback that is answered here."""

    def __init__(
        self,
        *,
        events: int,
        id_bytes: int,
        event_id_bytes: int,
        recommendation_id_bytes: int,
        context_entries: int,
        context_bytes: int,
    ) -> None:
        """Takes the maxima of `penchant.domain.limits`, of the same names."""

@final
class FeedbackCall:
    """A call of feedback, parsed; its events keep the contract, but for their times."""

    @property
    def users(self) -> list[str]:
        """The user of each event, in order."""
    @property
    def payload(self) -> bytes:
        """The serialized call."""
    @property
    def cost(self) -> float:
        """See `penchant.server.plans.feedback_plan`."""
    @property
    def timeout_ms(self) -> int: ...
    @property
    def health_check(self) -> bool: ...

def parse_feedback_call(payload: bytes, limits: FeedbackLimits) -> FeedbackCall | None:
    """Parses a serialized `penchant.v1.Call`; None for what it leaves to the general path."""

SignalValues = tuple[
    str,
    float,
    float,
    float | None,
    float | None,
    float | None,
    float | None,
    bool,
    float | None,
    bool,
    int,
]
"""A signal's name, the fields of `penchant.domain.rewards.Signal` in order, and its code."""

@final
class FeedbackView:
    """One version of the catalog, which takes calls of feedback."""

    def __init__(
        self,
        *,
        ids: ItemIds,
        vectors: NDArray[np.float32],
        alive: NDArray[np.bool_],
        signals: list[SignalValues],
        half_life_s: float,
        half_life_us: int,
        future_us: int,
        capacity: int,
        time_bucket_s: float,
        version: int,
        digest: int,
        fold: FoldTerms,
    ) -> None:
        """Keeps the arrays of a `CatalogView`, uncopied; raises ValueError if they do not fit.

        Args:
            ids: of all rows, or more.
            vectors: shape (rows, d).
            alive: shape (rows,).
            signals: the signal table.
            half_life_s: of the counters, 1 or more.
            half_life_us: the same in whole microseconds.
            future_us: microseconds that an event's time may lie ahead of the clock.
            capacity: events that a window keeps, 1 or more.
            time_bucket_s: step of the fold's clock, 1 or more.
            version: the catalog's.
            digest: the view's.
            fold: folds records.
        """

    def take(
        self,
        calls: list[FeedbackCall],
        names: list[str] | None,
        tombstones: list[bytes] | None,
        get: Callable[[bytes], bytes | None],
        arrived_us: int,
        newest_us: int,
    ) -> tuple[
        list[bytes | None],
        list[tuple[bytes, bytes]],
        list[tuple[str, bytes | None, bytes]],
        int,
        int,
        tuple[bytes, bytes, bytes, bytes],
        list[tuple[int, bool, float, float]],
        float | None,
        int,
        float,
    ]:
        """Takes calls, each whole or not at all, and writes nothing.

        Args:
            calls: in order.
            names: of their events' users in the store, one call after the other; None: the
                callers' own.
            tombstones: the keys of their tombstones, as many; None: nobody was ever forgotten.
            get: gives a row of the transaction by its key; what it raises goes on.
            arrived_us: the time now, in microseconds since 1970.
            newest_us: time of the newest event so far.

        Returns:
            One serialized reply per call, None for one that is declined; the keys and values to
            write; the name, the row before and the new rows of WINDOW_DTYPE of each user whom NumPy
            has to fold; how many events were accepted; the newest event's time; of the items whose
            counters changed, the numbers (int64), positives, impressions (float64) and times
            (int64); of each event, the digest of its user and item, whether it is an impression,
            its reward and its exposure's score; how far one user's interest moved; how many folds
            were made, and the seconds that they took.
        """

RECORD_SCHEMA: int
"""The one schema of records that is read and written here."""

def record_version(record: bytes) -> int | None:
    """State version of a sound record.

    None for a record that is damaged or of another schema: the codec says which.
    """

@final
class FoldTerms:
    """What the folds of one catalog version share."""

class Folds:
    """The folds of one catalog version under its settings, with the updater `ridge`.

    What it is made of is copied. Arrays are checked at each call, and no pointer outlives it.
    """

    def __init__(
        self,
        *,
        precision: NDArray[np.float64],
        target: NDArray[np.float64],
        least_eigenvalue: float,
        half_life_events: float,
        half_life_s: float,
        fast_half_life_events: float,
        near_half_life_events: float,
        opening_half_life_events: float,
        context_halvings: float,
        factors: NDArray[np.float64] | None,
        catalog_version: int,
        settings: int,
    ) -> None:
        """Takes A_0, shape (d, d), and A_0 m_0, shape (d,), of `penchant.domain.interest`.

        Args:
            precision: A_0.
            target: A_0 m_0.
            least_eigenvalue: a lower bound of those of A_0; 0 or less: every fold is declined.
            half_life_events: these and the next as in `penchant.domain.settings.FoldSettings`.
            half_life_s: see there.
            fast_half_life_events: see there.
            near_half_life_events: see there.
            opening_half_life_events: see there.
            context_halvings: see there.
            factors: of each signal code, shape (65,536,); None: 1 each.
            catalog_version: for the key of a record's fold.
            settings: digest, for the same.
        """

    @property
    def terms(self) -> FoldTerms:
        """For a `RankView`."""

    def interest(
        self,
        vectors: NDArray[np.float32],
        alive: NDArray[np.bool_],
        window: bytes,
        context: bytes | None,
        bucket_start_us: float,
    ) -> tuple[bytes, bytes, bytes] | None:
        """The slow and the fast interest, and the recent items; None: declined.

        Args:
            vectors: of the items, shape (rows, d).
            alive: False for deleted items, shape (rows,).
            window: rows of WINDOW_DTYPE.
            context: five slots; None: no context.
            bucket_start_us: start of the time bucket, in microseconds since 1970.
        """

    def learn(
        self,
        vectors: NDArray[np.float32],
        alive: NDArray[np.bool_],
        users: Sequence[tuple[bytes | None, bytes]],
        capacity: int,
        bucket: int,
        bucket_start_us: float,
    ) -> list[bytes | None]:
        """The encoded records of users with new events, folded; None for those declined.

        Args:
            vectors: of the items, shape (rows, d).
            alive: False for deleted items, shape (rows,).
            users: each one's encoded record, None for none, and rows of WINDOW_DTYPE to insert.
            capacity: events that a window keeps, 1 or more.
            bucket: the time bucket.
            bucket_start_us: its start, in microseconds since 1970.
        """
