"""What a store holds, as numbers to watch: items, users, fill, versions, ages."""

from __future__ import annotations

import time

from penchant.store.accepted_events import read_accepted
from penchant.store.base import Store
from penchant.store.items import read_head
from penchant.store.refresh_note import read_refresh_note
from penchant.store.rollouts import read_rollout
from penchant.store.users import scan_user_ids_from

USERS_AT_A_TIME = 2_000
"""Users counted by one reading, so that no reading takes long."""


class StoreGauges:
    """Reads the gauges of one store; each reading is cheap, however large the store is.

    Users are counted some at a time: the figure is that of the last full count.
    """

    def __init__(self, store: Store) -> None:
        """Reads nothing yet."""
        self._store = store
        self._next_user: str | None = ""
        self._counting = 0
        self._users: int | None = None

    def read(self) -> dict[str, float]:
        """Each gauge's value by its name; one that is not known yet is missing."""
        usage = self._store.usage()
        with self._store.snapshot() as snapshot:
            head = read_head(snapshot)
            refreshed, accepted = read_refresh_note(snapshot), read_accepted(snapshot)
            rollout = read_rollout(snapshot)
            found = scan_user_ids_from(snapshot, self._next_user or "", USERS_AT_A_TIME)
        self._count(found)
        gauges = {
            "penchant_items": float(head.alive),
            "penchant_catalog_version": float(head.version),
            "penchant_store_fill": usage.fraction,
            "penchant_rollout": 0.0 if rollout is None else 1.0,
            "penchant_refresh_new_events": float(max(0, accepted - refreshed.accepted)),
            "penchant_refresh_failures": float(refreshed.failures),
        }
        if self._users is not None:
            gauges["penchant_users"] = float(self._users)
        if refreshed.at_s:
            gauges["penchant_refresh_age_seconds"] = max(0.0, time.time() - refreshed.at_s)
            gauges["penchant_refresh_duration_seconds"] = refreshed.took_s
        return gauges

    def _count(self, found: list[str]) -> None:
        self._counting += len(found)
        if len(found) < USERS_AT_A_TIME:
            self._users, self._counting, self._next_user = self._counting, 0, ""
        else:
            self._next_user = found[-1] + "\0"
