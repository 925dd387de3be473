"""Measurements of the verbs; `server/triton/prometheus.py` turns them into metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from penchant.domain.types import Rows

TOP = 10
"""Items of a ranking that `Meter.ranked` is told, at most."""


def top_of(rows: Rows) -> bytes:
    """The rows of a ranking's first items, best first, as `Meter.ranked` takes them: int64."""
    return rows[:TOP].astype(np.int64).tobytes()


class Outcome(NamedTuple):
    """What became of an item that was shown: of one accepted event, without who made it."""

    arm: str
    """`served`, or `candidate` for users of a canary's share."""
    impression: bool
    """Whether the event says that the item was shown; then the reward is not known yet."""
    reward: float
    """-1 to 1."""
    score: float | None
    """At which the item was shown; None: unknown."""


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

    def ranked(self, tops: Sequence[bytes], cold: int) -> None:
        """Records rankings: see `top_of`, and how many of their users are new."""
        ...

    def degraded(self) -> None:
        """Records a ranking from what was read last, since the store was away."""
        ...

    def reserved(self, outcome: str, options: int) -> None:
        """Records options of a reserve call: `reserved`, or why not."""
        ...

    def outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """Records what accepted events say about what was shown."""
        ...

    def interest_drift(self, distance: float) -> None:
        """Records how far a user's slow interest has moved: 1 - cosine, 0 to 2."""
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

    def degraded(self) -> None:
        """See `Meter.degraded`."""

    def ranked(self, tops: Sequence[bytes], cold: int) -> None:
        """See `Meter.ranked`."""

    def reserved(self, outcome: str, options: int) -> None:
        """See `Meter.reserved`."""

    def outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """See `Meter.outcomes`."""

    def interest_drift(self, distance: float) -> None:
        """See `Meter.interest_drift`."""
