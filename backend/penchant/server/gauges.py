"""What a store holds, as numbers to watch: items, users, fill, versions, ages, quality."""

from __future__ import annotations

import os
import time
from pathlib import Path

from penchant.domain.errors import PenchantError, StateCorrupt, StoreUnavailable
from penchant.domain.types import CatalogHead
from penchant.server.metric_table import Series
from penchant.server.vector_drift import VectorDrift
from penchant.service.user_interest import Catalogs
from penchant.store.accepted_events import read_accepted
from penchant.store.base import Snapshot, Store
from penchant.store.guarded_store import GuardedStore
from penchant.store.items import read_head
from penchant.store.newest import read_newest
from penchant.store.refresh_note import RefreshNote, read_refresh_note
from penchant.store.releases import read_releases
from penchant.store.rollouts import read_rollout
from penchant.store.ship_notes import read_shipping
from penchant.store.users import scan_user_ids_from

USERS_AT_A_TIME = 2_000
"""Users counted by one reading, so that no reading takes long."""

_Gauges = dict[str, float]

_AWAY: Series = "penchant_store_away", ()


class StoreGauges:
    """Reads the gauges of one store; each reading is cheap, however large the store is.

    Users are counted some at a time: the figure is that of the last full count.
    """

    def __init__(self, store: Store, catalogs: Catalogs, directory: Path | None = None) -> None:
        """Reads nothing yet.

        Args:
            store: the store.
            catalogs: those of the same process.
            directory: of the store, on whose file system space is watched; None: none.
        """
        self._store = store
        self._catalogs = catalogs
        self._directory = directory
        self._next_user: str | None = ""
        self._counting = 0
        self._users: int | None = None
        self._drift = VectorDrift()
        self._published: tuple[str, float | None] = "", None

    def read(self) -> dict[Series, float]:
        """Each gauge's value by its series; one that is not known yet is missing.

        Of a store in a network that is away, only that it is.
        """
        if not isinstance(self._store, GuardedStore):
            return self._read()
        try:
            gauges = self._read()
        except StoreUnavailable:
            return {_AWAY: 1.0}
        return {**gauges, _AWAY: 0.0, _durability(self._store): 1.0}

    def _read(self) -> dict[Series, float]:
        usage = self._store.usage()
        with self._store.snapshot() as snapshot:
            head = read_head(snapshot)
            refreshed, accepted = read_refresh_note(snapshot), read_accepted(snapshot)
            rollout = read_rollout(snapshot)
            newest_us = read_newest(snapshot)
            shipped_us = _shipped_us(snapshot)
            published_s = self._published_s(snapshot, head)
            found = scan_user_ids_from(snapshot, self._next_user or "", USERS_AT_A_TIME)
            drift = self._vector_drift(snapshot)
        self._count(found)
        now_s = time.time()
        gauges = {
            "penchant_items": float(head.alive),
            "penchant_catalog_version": float(head.version),
            "penchant_store_fill": usage.fraction,
            "penchant_rollout": 0.0 if rollout is None else 1.0,
        }
        gauges |= _refresh_gauges(refreshed, accepted, now_s) | self._disk_gauges()
        known = {
            "penchant_users": self._users,
            "penchant_item_vector_drift": drift,
            "penchant_release_age_seconds": _age_s(published_s, now_s),
            "penchant_ship_age_seconds": _age_s(shipped_us and shipped_us / 1e6, now_s),
            "penchant_newest_event_age_seconds": _age_s(newest_us and newest_us / 1e6, now_s),
        }
        gauges |= {name: float(value) for name, value in known.items() if value is not None}
        release = ("release", head.release), ("encoder", head.encoder_version)
        return {
            **{(name, ()): value for name, value in gauges.items()},
            ("penchant_release_info", release): 1.0,
        }

    def _published_s(self, snapshot: Snapshot, head: CatalogHead) -> float | None:
        """When the served release was published; its log is read once a release."""
        if head.release != self._published[0]:
            served = [one.at_us for one in read_releases(snapshot) if one.release == head.release]
            self._published = head.release, served[-1] / 1e6 if served else None
        return self._published[1]

    def _vector_drift(self, snapshot: Snapshot) -> float | None:
        try:
            return self._drift.look(self._catalogs.read(snapshot).served)
        except PenchantError:  # Damaged files are mended, and no reason to lose the other gauges.
            return None

    def _disk_gauges(self) -> _Gauges:
        if self._directory is None:
            return {}
        try:
            found = os.statvfs(self._directory)
        except OSError:  # The store was moved away.
            return {}
        return {
            "penchant_disk_free_ratio": found.f_bavail / max(1, found.f_blocks),
            "penchant_disk_free_bytes": float(found.f_bavail * found.f_frsize),
        }

    def _count(self, found: list[str]) -> None:
        self._counting += len(found)
        if len(found) < USERS_AT_A_TIME:
            self._users, self._counting, self._next_user = self._counting, 0, ""
        else:
            self._next_user = found[-1] + "\0"


def _durability(store: GuardedStore) -> Series:
    """The series that says what acknowledged commits survive."""
    found = store.durability
    labels = {
        "logged": "yes" if found.logged else "no",
        "synced": found.synced or "unknown",
        "replicas": str(found.replicas),
        "waits_for": str(found.wait),
    }
    return "penchant_store_durability_info", tuple(labels.items())


def _shipped_us(snapshot: Snapshot) -> int | None:
    try:
        shipping = read_shipping(snapshot)
    except StateCorrupt:  # `penchant ship` says so.
        return None
    return None if shipping is None else shipping.at_us


def _refresh_gauges(refreshed: RefreshNote, accepted: int, now_s: float) -> _Gauges:
    gauges = {
        "penchant_refresh_new_events": float(max(0, accepted - refreshed.accepted)),
        "penchant_refresh_failures": float(refreshed.failures),
    }
    if refreshed.at_s:
        gauges["penchant_refresh_age_seconds"] = max(0.0, now_s - refreshed.at_s)
        gauges["penchant_refresh_duration_seconds"] = refreshed.took_s
    return gauges


def _age_s(at_s: float | None, now_s: float) -> float | None:
    return max(0.0, now_s - at_s) if at_s else None
