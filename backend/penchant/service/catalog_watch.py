"""Looks at the catalog's files while the server runs, and has damaged ones written again.

A process that finds a file truncated (its call fails with StoreUnavailable) wakes its watch at
once. One process of a server also reads all files every few seconds and compares checksums: what is
damaged in another way is served until then.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from penchant.catalog.item_biases import ItemBiasTable
from penchant.domain.errors import PenchantError
from penchant.service.mended_catalog import damaged_files, mend_catalog
from penchant.service.meter import Meter
from penchant.service.user_interest import Catalogs
from penchant.store.base import Snapshot, Store

log = logging.getLogger("penchant")

LOOK_EVERY_S = 10.0
"""Least seconds between two readings of all files."""
SHARE_OF_TIME = 0.01
"""Largest share of its time that a process spends on reading them."""
PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
"""Seconds between two attempts to mend: twice as many after each in vain, as on a full disk."""


class CatalogWatch:
    """A thread that waits for damage; daemonic, so that it keeps no process alive."""

    def __init__(
        self,
        store: Store,
        catalogs: Catalogs,
        read_biases: Callable[[], ItemBiasTable],
        meter: Meter,
        *,
        reads_all: bool,
        complete: Callable[[Snapshot], None] | None = None,
    ) -> None:
        """Starts the thread.

        Args:
            store: the server's.
            catalogs: of this process; its readers say when they find a file truncated.
            read_biases: reads every item's counters.
            meter: counts files that were written again.
            reads_all: whether this process reads all files now and then.
            complete: see `mend_catalog`.
        """
        self._store = store
        self._catalogs = catalogs
        self._read_biases = read_biases
        self._meter = meter
        self._reads_all = reads_all
        self._complete = complete
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="penchant-catalog", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the thread."""
        self._closing.set()
        self._catalogs.damaged.set()
        self._thread.join()

    def _run(self) -> None:
        pause_s: float | None = LOOK_EVERY_S if self._reads_all else None
        rest_s = PAUSE_S
        while not self._closing.is_set():
            found = self._catalogs.damaged.wait(pause_s)
            if self._closing.is_set():
                return
            self._catalogs.damaged.clear()
            started_s = time.monotonic()
            try:
                mended = self._look(found=found)
            except Exception:  # A watch that ends would be missed only at the next damage.
                log.exception("the catalog's files could not be looked at")
                mended = False
            if self._reads_all:
                pause_s = max(LOOK_EVERY_S, (time.monotonic() - started_s) / SHARE_OF_TIME)
            if found:
                rest_s = PAUSE_S if mended else min(2 * rest_s, LONGEST_PAUSE_S)
                self._closing.wait(rest_s)

    def _look(self, *, found: bool) -> bool:
        """Mends what is damaged; returns whether something was."""
        if not found:
            try:
                with self._store.snapshot() as snapshot:
                    self._catalogs.read(snapshot)  # So that the version is in memory.
                    found = damaged_files(snapshot, self._directory)
            except PenchantError:
                found = True  # The read has set the event as well; it is dealt with here.
                self._catalogs.damaged.clear()
            except OSError:
                return False  # The files have just been replaced.
        if not found:
            return False
        kinds = mend_catalog(
            self._store,
            self._directory,
            self._read_biases,
            self._catalogs.held(),
            complete=self._complete,
        )
        for kind in kinds:
            self._meter.mended(kind)
        return bool(kinds)

    @property
    def _directory(self) -> Path:
        return self._catalogs.directory
