"""Measurements of the verbs; `server/triton/metrics.py` turns them into Prometheus metrics."""

from __future__ import annotations

from typing import Protocol


class Meter(Protocol):
    """Takes measurements; must be cheap and must not fail."""

    def fold(self, seconds: float, users: int = 1) -> None:
        """The windows of so many users were folded together in so long."""
        ...

    def commit(self, seconds: float, events: int) -> None:
        """One transaction with so many accepted events took so long, the sync included."""
        ...

    def staleness(self, seconds: float) -> None:
        """So long after its arrival an event was in the state that every new ranking reads."""
        ...

    def encoded(self, texts: int) -> None:
        """One run of the encoder took so many texts."""
        ...


class SilentMeter:
    """Drops every measurement."""

    def fold(self, seconds: float, users: int = 1) -> None:
        """See `Meter.fold`."""

    def commit(self, seconds: float, events: int) -> None:
        """See `Meter.commit`."""

    def staleness(self, seconds: float) -> None:
        """See `Meter.staleness`."""

    def encoded(self, texts: int) -> None:
        """See `Meter.encoded`."""
