"""The catalogs of a server that shares its store with others: read on while a new one is fetched.

A change that this server has made, or has fetched already, is seen at once. Another server's is
fetched by a thread, beside the version that rankings use meanwhile; then they switch.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection
from contextlib import suppress

from penchant.catalog.view import CatalogReader
from penchant.domain.errors import PenchantError, StoreUnavailable
from penchant.domain.settings import FoldSettings
from penchant.domain.types import CatalogHead
from penchant.service.catalog_share import CatalogShare, catalogs_in
from penchant.service.sharing_store import HEADS, SharingTransaction
from penchant.service.user_interest import Catalogs, Offered
from penchant.store.base import Snapshot, Store
from penchant.store.guarded_store import GuardedStore
from penchant.store.remembered_rows import is_remembered

log = logging.getLogger("penchant")

LOOK_EVERY_S = 0.25
"""Seconds between two looks at the heads, so that an idle process follows as well."""

GIVE_UP_S = 15.0
"""Seconds after which files that the shared place does not have are made again without it."""

_Heads = list[tuple[str, CatalogHead]]


class SharedCatalogs(Catalogs):
    """Follows the catalogs of a shared store; safe in threads."""

    def __init__(
        self, share: CatalogShare, settings: FoldSettings, fixed: Collection[str] = ()
    ) -> None:
        """Follows the catalogs whose files a server shares; see `Catalogs`."""
        super().__init__(share.directory, settings, fixed)
        self._share = share
        self._offered: Offered | None = None
        self._heads: _Heads = []
        self._awaited: _Heads | None = None
        self._following = threading.Lock()
        self.moved = threading.Event()
        """Set when a head was seen whose files are not here yet."""

    def read(self, snapshot: Snapshot) -> Offered:
        """Both as of a snapshot, or shortly before it while files are on their way.

        Raises:
            StoreUnavailable: there is no catalog yet whose files are here.
        """
        offered = self._offered
        if offered is None:
            return self.follow(snapshot)
        if is_remembered(snapshot):
            return offered
        if isinstance(snapshot, SharingTransaction):
            return self._read(snapshot)  # Its files are whole, and no earlier ones would do.
        heads = self._heads_in(snapshot)
        if heads == self._heads:
            return offered
        if heads != self._awaited:
            with suppress(StoreUnavailable):
                return self._take(snapshot, heads)
            self._awaited = heads
            self.moved.set()
        return offered

    def follow(self, snapshot: Snapshot) -> Offered:
        """Both as of a snapshot, after what is missing was fetched.

        Raises:
            StoreUnavailable: it can't be had.
        """
        with self._following:
            heads = self._heads_in(snapshot)
            if self._offered is not None and heads == self._heads:
                return self._offered
            self._share.complete(snapshot)
            try:
                return self._take(snapshot, heads)
            except StoreUnavailable:
                # A file that was replaced here is mapped as it was: it is looked at anew.
                self._share.forget()
                self._share.complete(snapshot)
                self._map_anew()
                return self._take(snapshot, heads)

    def _take(self, snapshot: Snapshot, heads: _Heads) -> Offered:
        offered = self._read(snapshot)
        self._offered, self._heads = offered, heads
        return offered

    def _heads_in(self, snapshot: Snapshot) -> _Heads:
        return [(catalog, head) for catalog, _, head in catalogs_in(snapshot, self.directory)]

    def _map_anew(self) -> None:
        self.served = CatalogReader(self.directory, self._settings, self._fixed)
        self._candidate = None


class CatalogFollower:
    """A thread that fetches new versions; daemonic, so that it keeps no process alive."""

    def __init__(self, store: Store, catalogs: SharedCatalogs) -> None:
        """Starts the thread.

        Args:
            store: the server's.
            catalogs: of this process.
        """
        self._store = store
        self._catalogs = catalogs
        self._failing_since_s: float | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="penchant-follower", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the thread."""
        self._closing.set()
        self._catalogs.moved.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._catalogs.moved.wait(LOOK_EVERY_S)
            self._catalogs.moved.clear()
            if self._closing.is_set():
                return
            if not self._look():
                self._closing.wait(LOOK_EVERY_S)

    def _look(self) -> bool:
        """Follows once; returns whether that went well."""
        try:
            with self._store.snapshot() as snapshot:
                if is_remembered(snapshot):
                    return False
                snapshot.fetch(HEADS)
                self._catalogs.follow(snapshot)
        except PenchantError as error:
            self._failed(error)
            return False
        except Exception:  # A follower that ends would be missed only at the next version.
            log.exception("a new version of the catalog could not be fetched")
            return False
        self._failing_since_s = None
        return True

    def _failed(self, error: PenchantError) -> None:
        if isinstance(self._store, GuardedStore) and self._store.away:
            return  # Which is said already.
        now_s = time.monotonic()
        if self._failing_since_s is None:
            self._failing_since_s = now_s
            log.warning("catalog: the version before goes on: %s", error)
        elif now_s - self._failing_since_s > GIVE_UP_S:
            self._failing_since_s = now_s
            self._catalogs.damaged.set()
