"""What a store holds, as numbers to watch: items, users, fill, versions, ages."""

from __future__ import annotations

import time
from pathlib import Path

from penchant.store.base import Store
from penchant.store.items import read_head
from penchant.store.rollouts import read_rollout
from penchant.store.users import scan_user_ids_from

USERS_AT_A_TIME = 2_000
"""Users counted by one reading, so that no reading takes long."""


class StoreGauges:
    """Reads the gauges of one store; each reading is cheap, however large the store is.

    Users are counted some at a time: the figure is that of the last full count.
    """

    def __init__(self, store: Store, directory: Path) -> None:
        """Reads nothing yet.

        Args:
            store: the store.
            directory: of the catalog's files.
        """
        self._store = store
        self._directory = directory
        self._next_user: str | None = ""
        self._counting = 0
        self._users: int | None = None

    def read(self) -> dict[str, float]:
        """Each gauge's value by its name; one that is not known yet is missing."""
        usage = self._store.usage()
        with self._store.snapshot() as snapshot:
            head = read_head(snapshot)
            rollout = read_rollout(snapshot)
            found = scan_user_ids_from(snapshot, self._next_user or "", USERS_AT_A_TIME)
        self._count(found)
        gauges = {
            "penchant_items": float(head.alive),
            "penchant_catalog_version": float(head.version),
            "penchant_store_fill": usage.fraction,
            "penchant_rollout": 0.0 if rollout is None else 1.0,
        }
        if self._users is not None:
            gauges["penchant_users"] = float(self._users)
        age_s = self._refresh_age_s(head.neighbours)
        if age_s is not None:
            gauges["penchant_refresh_age_seconds"] = age_s
        return gauges

    def _count(self, found: list[str]) -> None:
        self._counting += len(found)
        if len(found) < USERS_AT_A_TIME:
            self._users, self._counting, self._next_user = self._counting, 0, ""
        else:
            self._next_user = found[-1] + "\0"

    def _refresh_age_s(self, neighbours: int) -> float | None:
        """Since the files of the last refresh were written; None before the first one."""
        if not neighbours:
            return None
        try:
            written_s = (self._directory / f"neighbours-{neighbours}.npy").stat().st_mtime
        except OSError:
            return None
        return max(0.0, time.time() - written_s)
