"""The compiled functions, as `src/` binds them."""

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
    ) -> None: ...

@final
class RankCall:
    """A call of rank, parsed."""

    @property
    def user(self) -> str: ...
    @property
    def candidates(self) -> int:
        """Number of candidates."""
    @property
    def timeout_ms(self) -> int: ...
    @property
    def health_check(self) -> bool: ...
    @property
    def exclude_owned(self) -> bool: ...
    def key(self, kind: int) -> bytes:
        """The key of the user's row of a kind; see `penchant.store.keys`."""

def parse_rank_call(payload: bytes, limits: RankLimits) -> RankCall | None:
    """Parses a serialized `penchant.v1.Call`; None for what it leaves to the general path."""

@final
class ItemIds:
    """The ids of a catalog's items, by number."""

    def __init__(self) -> None: ...
    def __len__(self) -> int: ...
    def follow(self, ids: list[str]) -> None:
        """Adds the ids beyond those that are known; ids that were there never change."""

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
        version: int,
        encoder_version: str,
        digest: int,
        bucket_us: int,
        interests: int,
        slow_weight: float,
        fast_weight: float,
        near_weight: float,
        tail_offset_weight: float,
        tail_lift: float,
        knows_contexts: bool,
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
            version: the catalog's.
            encoder_version: the catalog's.
            digest: the view's.
            bucket_us: microseconds of a time bucket, 1 or more.
            interests: slow interests of a user, 1 or more.
            slow_weight: sigma.
            fast_weight: gamma.
            near_weight: delta.
            tail_offset_weight: c_tail.
            tail_lift: l.
            knows_contexts: whether a context changes a ranking.
        """

    def answer(
        self,
        call: RankCall,
        record: bytes | None,
        owned: bytes | None,
        newest: bytes | None,
        now_us: int,
        explorations_per_day: int,
    ) -> tuple[bytes, NDArray[np.int64], bool] | None:
        """Answers a call, or declines it.

        Args:
            call: of the user.
            record: the row of the user's record.
            owned: the row of the user's own items.
            newest: the row of the newest event's time.
            now_us: the server's time, in microseconds since 1970.
            explorations_per_day: explored impressions that a user may get in a day.

        Returns:
            The serialized reply, the rows of its first ten items at most, and whether the user is
            new; None: the general path answers.
        """
