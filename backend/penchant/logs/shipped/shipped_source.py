"""The options that name a shipped log and a range of it, shared by every command that reads one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from cyclopts import Parameter

from penchant.domain.errors import ConfigError
from penchant.domain.rewards import SignalTable
from penchant.domain.types import Event
from penchant.logs.cells import BadRow, time_us_of
from penchant.logs.event_log import EventLog
from penchant.logs.interactions import Interactions, interactions_of
from penchant.logs.refusals import LeftOut
from penchant.logs.shipped.shipped_log import ShippedLog, TimeRange
from penchant.store.base import Store

_GROUP = "A shipped log"


@dataclass(frozen=True, slots=True)
class ShippedSource:
    """A log that `penchant ship` wrote, and the times to read of it."""

    shipped: Annotated[str, Parameter(metavar="URL", group=_GROUP, show_default=False)] = ""
    """Read the log that was shipped there; with a store, also what the store has not shipped."""
    since: Annotated[str, Parameter(metavar="TIME", group=_GROUP, show_default=False)] = ""
    """First time of an event to read: a day such as 2026-11-01, or ISO 8601; UTC if without a
    zone."""
    until: Annotated[str, Parameter(metavar="TIME", group=_GROUP, show_default=False)] = ""
    """Read events before this time alone."""

    def __bool__(self) -> bool:
        """Whether a shipped log is named."""
        return bool(self.shipped)

    def within(self) -> TimeRange:
        """The range of times.

        Raises:
            ConfigError: a time can't be read, the range is empty, or no shipped log is named.
        """
        if not self.shipped and (self.since or self.until):
            raise ConfigError(
                f"--{'since' if self.since else 'until'}: got it without --shipped, expected a "
                "shipped log to read a part of"
            )
        since_us, until_us = _time("--since", self.since), _time("--until", self.until)
        if since_us is not None and until_us is not None and since_us >= until_us:
            raise ConfigError(f"--until: got {self.until!r}, expected a time after {self.since!r}")
        return TimeRange(since_us, until_us)

    def events(self, store: Store | None, *, exposures: bool = True) -> EventLog:
        """The events of the range, in time order.

        Args:
            store: the one that ships the log, for what it has not shipped; None: the files alone.
            exposures: whether to read how items were shown.

        Raises:
            ConfigError: the log or a time can't be read, or the log is another store's.
        """
        within = self.within()
        if store is None:
            return ShippedLog.opened(self.shipped).events(within, exposures=exposures)
        log = ShippedLog.opened_with(self.shipped, store)
        return log.events(within, exposures=exposures)

    def outcomes(
        self, items: Mapping[str, int], store: Store, signals: SignalTable, left_out: LeftOut
    ) -> Interactions:
        """The outcomes for some items, as a refresh reads them; see `interactions_of`.

        Raises:
            ConfigError: as `events`.
        """
        return interactions_of(self.events(store, exposures=False), items, signals, left_out)

    def events_by_user(self, store: Store) -> Iterator[list[Event]]:
        """The events of one user after another, each user's in time order.

        Raises:
            ConfigError: as `events`.
        """
        log = self.events(store)
        order = np.argsort(log.user.code, kind="stable")
        starts = np.flatnonzero(np.diff(log.user.code[order], prepend=-1))
        for positions in np.split(order, starts[1:]):
            if len(positions):
                yield list(log.take(positions))


def _time(option: str, text: str) -> int | None:
    if not text:
        return None
    try:
        return time_us_of(text, "s")
    except BadRow as error:
        raise ConfigError(f"{option}: {error}; expected a day such as 2026-11-01") from error
