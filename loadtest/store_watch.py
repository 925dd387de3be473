"""Retention beside a load: deletes old events again and again, and looks at what is left."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from penchant.domain.errors import StoreUnavailable
from penchant.store.keys import Kind, encode
from penchant.store.open import open_store

log = logging.getLogger("loadtest")

_SHARE = 0.2
"""Time between two deletions, as a share of the retention."""
_LONGEST_S = 120.0
"""Seconds that a deletion may take."""
_DAY_S = 86_400.0
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class StoreSample:
    """One look at the store."""

    at_s: float
    """Seconds after the start of the watch."""
    log_rows: int
    """Events in the log."""
    memory_mib: float
    """Memory of all primaries."""


class StoreWatch:
    """Keeps a store's log to some seconds while the block runs; does nothing if told none."""

    def __init__(self, store: str, scratch: Path, retention_s: float | None) -> None:
        """Watches nothing yet.

        Args:
            store: its address.
            scratch: directory for the files of `penchant expire`.
            retention_s: age in seconds at which events are deleted; None: never.
        """
        self.samples: list[StoreSample] = []
        self.deleted_until_s: float | None = None
        """Epoch seconds up to which events may be gone."""
        self.failed: list[str] = []
        """What a deletion said that failed."""
        self._store, self._scratch, self._retention_s = store, scratch, retention_s
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        if self._retention_s is not None:
            self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._closing.set()
        if self._retention_s is not None:
            self._thread.join()

    def _watch(self) -> None:
        assert self._retention_s is not None
        started_s = time.monotonic()
        with contextlib.closing(open_store(self._store)) as store:
            while not self._closing.wait(_SHARE * self._retention_s):
                self._delete(self._retention_s)
                try:
                    with store.snapshot() as snapshot:
                        rows = sum(1 for _ in snapshot.scan(encode(Kind.LOG)))
                    used = store.usage().used_bytes
                except StoreUnavailable as error:
                    log.warning("the store could not be looked at: %s", error)
                    continue
                at_s = time.monotonic() - started_s
                self.samples.append(StoreSample(round(at_s, 1), rows, round(used / MIB, 2)))

    def _delete(self, retention_s: float) -> None:
        """Runs the command itself, as a timer of the machine would."""
        command = [sys.executable, "-m", "penchant.cli.main", "expire", "--store", self._store]
        command += ["--days", f"{retention_s / _DAY_S:.9f}"]
        try:
            done = subprocess.run(
                command,
                cwd=self._scratch,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_LONGEST_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            self.failed.append(f"penchant expire: it took over {_LONGEST_S:g} s")
        else:
            if done.returncode:
                self.failed.append(f"penchant expire: {(done.stdout + done.stderr).strip()[-500:]}")
        # Whatever became of it, some may be gone. The command began a little earlier.
        self.deleted_until_s = time.time() - retention_s
