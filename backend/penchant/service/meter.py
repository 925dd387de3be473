"""Measurements of the verbs; `server/triton/prometheus.py` turns them into metrics."""

from __future__ import annotations

from typing import Protocol


class Meter(Protocol):
    """Receives measurements. Its methods are cheap and never fail."""

    def fold(self, seconds: float, users: int = 1) -> None:
        """Records a fold: its duration, and the number of users folded together."""
        ...

    def commit(self, seconds: float, events: int) -> None:
        """Records a commit: its duration, including the sync to disk, and its accepted events."""
        ...

    def staleness(self, seconds: float) -> None:
        """Records the seconds from an event's arrival until rankings see it."""
        ...

    def encoded(self, texts: int) -> None:
        """Records one run of the encoder, by its number of texts."""
        ...

    def refused(self, reason: str, events: int) -> None:
        """Records events that were refused, by the reason."""
        ...

    def clock_doubt(self, cause: str) -> None:
        """Records a doubt about the machine's clock: `step`, `store_ahead`, `redated`, `unseen`."""
        ...

    def mended(self, kind: str) -> None:
        """Records that a damaged part of the catalog was written again, by its kind."""
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

    def refused(self, reason: str, events: int) -> None:
        """See `Meter.refused`."""

    def clock_doubt(self, cause: str) -> None:
        """See `Meter.clock_doubt`."""

    def mended(self, kind: str) -> None:
        """See `Meter.mended`."""
