"""The compiled functions, as `src/module.cpp` binds them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

INTERFACE: int
"""Grows with every change of a signature here; a backend takes the number that it knows alone."""

def crc32(data: bytes, start: int = 0) -> int:
    """The CRC-32 of some bytes, as `zlib.crc32` computes it."""

RECORD_SCHEMA: int
"""The one schema of records that is read and written here."""

def record_head(record: bytes) -> tuple[int, int, int] | None:
    """State version, number of events and time of the newest event of a sound record.

    None for a record that is damaged or of another schema: the codec says which.
    """

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
