"""Which is wrong where a store holds events of the future: their times, or the machine's clock?

A clock that was ahead and is right again leaves events behind that must not be their users' newest
for as long as it was ahead. A clock that is behind now must leave the store as it is. What speaks:

- The clock was set back while this process ran, and stayed so: it was ahead.
- It shows a time before this program was installed: it is behind.
- Most items were last counted later than now: that many events are of no wrong moment, the clock is
  behind. Unless users have events up to about now, and then none for long before the future ones:
  a clock that was ahead leaves such a gap, and one that is behind finds events all along.
"""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

import numpy as np

import penchant
from penchant.catalog.item_biases import ItemBiasTable
from penchant.service.clock import Clock, SteplessClock
from penchant.service.meter import Meter
from penchant.store.base import Store
from penchant.store.newest import read_newest
from penchant.store.users import scan_recent_times

log = logging.getLogger("penchant")

SAMPLE_USERS = 500
"""Users whose events are looked at."""
LEAST_PAST_SHARE = 0.1
"""Least share of the sampled events that lie in the past, where the clock is right."""
UNSEEN_DAYS = 30
"""Days after everything that the store holds from which on a clock is doubted at a start."""


class ClockEvidence:
    """Decides for one store, and remembers the decision until the clock is set again."""

    def __init__(self, store: Store, clock: Clock, installed_us: int = 0) -> None:
        """Looks at nothing yet.

        Args:
            store: the store.
            clock: of the server; a `SteplessClock` knows whether it was set back.
            installed_us: when this program was installed; 0: unknown.
        """
        self._store = store
        self._clock = clock
        self._installed_us = installed_us
        self._decided: tuple[bool, bool] | None = None
        """Whether the clock had been set back then, and whether it is behind."""

    def clock_is_behind(self, limit_us: int, biases: ItemBiasTable) -> bool:
        """Whether the clock is wrong, not the times in the store.

        Args:
            limit_us: the latest time that an event may have by the clock.
            biases: counters of items, of which some are newer.

        Cost: at the first call, reads some users; later none.
        """
        set_back = isinstance(self._clock, SteplessClock) and self._clock.was_set_back
        if self._decided is None or self._decided[0] != set_back:
            behind = self._decide(limit_us, biases, set_back=set_back)
            self._decided = set_back, behind
        return self._decided[1]

    def settled(self) -> None:
        """Forgets the decision: no time in the store is ahead of the clock any more."""
        self._decided = None

    def _decide(self, limit_us: int, biases: ItemBiasTable, *, set_back: bool) -> bool:
        if limit_us < self._installed_us:
            return True
        if set_back or not biases.mostly_after(limit_us):
            return False
        with self._store.snapshot() as snapshot:
            times = np.array(scan_recent_times(snapshot, SAMPLE_USERS), np.int64)
        if not len(times) or (times <= limit_us).mean() < LEAST_PAST_SHARE:
            return True
        halfway_us = limit_us + (biases.newest_us - limit_us) // 2
        return bool(((times > limit_us) & (times <= halfway_us)).any())


def installed_us() -> int:
    """When this program's files were written, in microseconds since 1970; 0 if unknown."""
    try:
        return Path(penchant.__file__).stat().st_mtime_ns // 1000
    except OSError:
        return 0


def doubt_unseen(store: Store, now_us: int, directory: Path, meter: Meter) -> None:
    """Says where the clock is long after everything that the store holds: a clock that is ahead?

    Nothing is refused: a store may have rested for months.

    Args:
        store: the store.
        now_us: by the clock.
        directory: of the store's files, whose times count too.
        meter: counts the doubt.
    """
    with store.snapshot() as snapshot:
        newest_us = read_newest(snapshot)
    if newest_us is None:
        return
    for path in directory.glob("*.mdb"):
        with contextlib.suppress(OSError):
            newest_us = max(newest_us, path.stat().st_mtime_ns // 1000)
    days = (now_us - newest_us) // 86_400_000_000
    if days >= UNSEEN_DAYS:
        meter.clock_doubt("unseen")
        log.warning(
            "the machine's clock is %d days after the newest event and the last write of the "
            "store; if the store did not rest for as long, the clock is ahead: set it right, and "
            "events that it dated ahead count as of then",
            days,
        )
