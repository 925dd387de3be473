"""Ships a store's log again and again; whatever goes wrong is said and tried again later."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from penchant.domain.errors import PenchantError
from penchant.launch.errors import LaunchError
from penchant.logs.shipped.shipped_place import open_place
from penchant.shipping.ship import ShipRequest, ShipResult, look, place_of, shipped_store
from penchant.shipping.shipper import Shipper

LONGEST_RETRY_S = 600.0

TRIM_EVERY_S = 86_400.0
"""Seconds between two deletions from the store, each of which reads its whole log."""


@dataclass(frozen=True, slots=True)
class ShipLook:
    """The outcome of one look."""

    wait_s: float
    """Seconds until the next look."""
    result: ShipResult | None = None
    """None: the look failed."""
    trouble: str = ""
    """Why it failed, for people."""

    @property
    def changed(self) -> bool:
        """Whether the look did anything that is worth a line."""
        found = self.result
        if found is None:
            return True
        rewritten, trimmed = found.rewritten, found.trimmed
        return bool(
            found.report.rows
            or found.report.forgotten
            or (rewritten is not None and rewritten.files_after != rewritten.files_before)
            or (trimmed is not None and trimmed.events)
        )


@dataclass(slots=True)
class ShipClock:
    """Looks at one store; keeps what it knows of the log between two looks."""

    request: ShipRequest
    every_s: float
    """Seconds from the end of one look to the next."""
    _shipper: Shipper | None = None
    _failures: int = 0
    _trimmed_s: float = 0.0

    def look(self) -> ShipLook:
        """Looks once; never raises."""
        try:
            result = self._look()
        except Exception as error:  # noqa: BLE001  # Whatever it was, the next look may go well.
            self._failures += 1
            known = isinstance(error, PenchantError | LaunchError)
            text = str(error) if known else f"{type(error).__name__}: {error}"
            wait_s = min(LONGEST_RETRY_S, 2.0 ** min(self._failures, 16), max(self.every_s, 2.0))
            return ShipLook(wait_s, None, f"Shipping failed, tried again in {wait_s:.0f} s: {text}")
        self._failures = 0
        return ShipLook(self.every_s, result)

    def _look(self) -> ShipResult:
        request = self.request
        with shipped_store(request) as server:
            if self._shipper is None:
                self._shipper = Shipper(
                    server.store, open_place(place_of(request, server.store), "--to")
                )
            self._shipper.store = server.store
            trims = request.trim_older is not None and time.time() - self._trimmed_s >= TRIM_EVERY_S
            if not trims:
                return look(server, self._shipper, replace(request, trim_older=None))
            result = look(server, self._shipper, request)
            self._trimmed_s = time.time()
            return result
