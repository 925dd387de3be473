"""What one user does, as a list of timed calls: the seam between worlds and whoever plays them."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

from loadtest.traffic import Population
from penchant_sdk import Penchant


@dataclass(frozen=True, slots=True)
class TimedCall:
    """One step of a session."""

    verb: str
    """Name under which its latency counts."""
    call: Callable[[], Any]
    """Makes the call; what it returns is sent back into the session."""


PlayedSession = Generator[TimedCall, Any, None]
"""Yields calls; each yield returns what the call returned. A failed call ends the session."""

SessionMaker = Callable[[random.Random], PlayedSession]
"""Starts a session of a user that it draws."""


@dataclass(frozen=True, slots=True)
class LoadWorld:
    """A trade: what its server needs, and what its users do."""

    settings: tuple[str, ...]
    """Settings of its server, as `penchant serve --set` takes them."""
    fill: Callable[[Penchant, int], None]
    """Puts its items, about so many, into an empty server."""
    sessions: Callable[[Penchant, Population, int], SessionMaker]
    """Prepares its client, once a process."""
    usual_items: int
    """Items unless told otherwise."""
    p99_ms: Mapping[str, float]
    """Largest p99 of each verb, in milliseconds."""
