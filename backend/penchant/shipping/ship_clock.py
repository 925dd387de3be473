"""Ships a store's log again and again; whatever goes wrong is said and tried again later."""

from __future__ import annotations

from dataclasses import dataclass

from penchant.domain.errors import PenchantError
from penchant.launch.errors import LaunchError
from penchant.launch.server_store import open_server_store
from penchant.logs.shipped.shipped_place import open_place
from penchant.shipping.ship import ShipRequest, ShipResult, look, place_of, ship_turn
from penchant.shipping.shipper import Shipper

LONGEST_RETRY_S = 600.0


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
        with open_server_store(request.store, request.settings) as server, ship_turn(request.store):
            if self._shipper is None:
                self._shipper = Shipper(server.store, open_place(place_of(request, server.store)))
            self._shipper.store = server.store
            return look(server, self._shipper, request)
