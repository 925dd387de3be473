"""The middle clocks of a server with tenants: one for its own store, and one for each tenant's."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NoReturn

from threadpoolctl import threadpool_limits

from penchant.refresh.refresh import RefreshRequest
from penchant.refresh.refresh_clock import RefreshClock
from penchant.server.tenants import tenant_stores

LOOK_S = 5.0
"""Longest sleep, in seconds, after which a new tenant is noticed."""


@dataclass(slots=True)
class TenantClocks:
    """The clocks of a server's stores in one process, one refresh at a time."""

    request: RefreshRequest
    """For the server's own store; those of the tenants differ in the store alone."""
    every_s: float
    """Seconds from the end of one look at a store to the next."""
    _clocks: dict[str, RefreshClock] = field(default_factory=dict)
    _due_s: dict[str, float] = field(default_factory=dict)

    def run(self, say: Callable[[str], None]) -> NoReturn:
        """Looks for ever at each store in its turn."""
        with threadpool_limits(1):
            while True:
                time.sleep(self.look_at_all(say))

    def look_at_all(self, say: Callable[[str], None]) -> float:
        """Looks at each store that is due; returns the seconds to sleep."""
        stores = [self.request.store, *tenant_stores(self.request.store)]
        for gone in self._clocks.keys() - stores:
            del self._clocks[gone], self._due_s[gone]
        for store in stores:
            if time.monotonic() < self._due_s.get(store, 0.0):
                continue
            clock = self._clocks.get(store)
            if clock is None:
                request = dataclasses.replace(self.request, store=store)
                clock = self._clocks[store] = RefreshClock(request, self.every_s)
            wait_s = clock.look_and_say(partial(self._say, say, store))
            self._due_s[store] = time.monotonic() + wait_s
        return max(0.0, min(LOOK_S, min(self._due_s.values()) - time.monotonic()))

    def _say(self, say: Callable[[str], None], store: str, text: str) -> None:
        """Says a sentence, with the tenant in front."""
        say(text if store == self.request.store else f"Tenant {Path(store).name}: {text}")
