"""Follows what other servers count, so that all servers' live offsets agree within seconds."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from penchant.domain.errors import PenchantError

log = logging.getLogger("penchant")

FOLLOW_EVERY_S = 1.0
"""Least seconds between two readings."""

SHARE_OF_TIME = 0.05
"""Largest share of its time that a process spends on reading counts."""


class CountsFollower:
    """A thread that has counts read again and again; daemonic, so that it keeps nothing alive."""

    def __init__(self, follow: Callable[[], None]) -> None:
        """Starts the thread; `follow` reads the counts and shows rankings the offsets."""
        self._follow = follow
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="penchant-counts", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the thread."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        pause_s = FOLLOW_EVERY_S
        while not self._closing.wait(pause_s):
            began_s = time.monotonic()
            try:
                self._follow()
            except (PenchantError, OSError) as error:
                log.info("offsets: %s; they follow in a moment", error)
            except Exception:  # A thread that ends would leave offsets as they are.
                log.exception("the counts of other servers could not be read")
            pause_s = max(FOLLOW_EVERY_S, (time.monotonic() - began_s) / SHARE_OF_TIME)
