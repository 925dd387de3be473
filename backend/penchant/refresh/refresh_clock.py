"""The middle clock: looks at a store again and again, and refreshes it when that is worth it.

A look costs a few small reads. A refresh reads and fits in a thread of low priority and holds the
store's write lock while it publishes alone, so that requests of a server on the same store hardly
notice it. Whatever goes wrong with one look is said, noted in the store, and tried again later.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NoReturn

from threadpoolctl import threadpool_limits

from penchant.config import with_asked
from penchant.domain.errors import PenchantError
from penchant.launch.errors import LaunchError
from penchant.launch.server_store import ServerStore, open_server_store
from penchant.logs.refusals import LeftOut
from penchant.refresh.expire import expire_if_due
from penchant.refresh.refresh import (
    RefreshRequest,
    RefreshResult,
    refresh_store,
    released_settings,
)
from penchant.refresh.refresh_memory import RefreshMemory
from penchant.refresh.refresh_pace import enough, is_due
from penchant.refresh.refresh_turn import RefreshRunning, refresh_turn
from penchant.refresh.store_for_workers import check_store_for
from penchant.service.clock import system_clock
from penchant.store.accepted_events import read_accepted
from penchant.store.base import Snapshot, Transaction
from penchant.store.conflict_retries import in_transaction
from penchant.store.items import read_head
from penchant.store.newest import read_newest
from penchant.store.refresh_note import RefreshNote, read_refresh_note, write_refresh_note

RETRY_SHARE = 0.1
"""Wait after a first failure, as a share of the clock's interval; it doubles with each one."""

LONGEST_RETRY_S = 3600.0

EXPIRE_EVERY_S = 86_400.0
"""Seconds between two deletions of events that are older than `retention_days`."""

Kind = Literal["refreshed", "waits", "failed"]


@dataclass(frozen=True, slots=True)
class ClockLook:
    """The outcome of one look."""

    kind: Kind
    text: str
    """For people: one sentence."""
    wait_s: float
    """Seconds until the next look."""
    result: RefreshResult | None = None
    """The outcome of the refresh, if there was one."""


@dataclass(slots=True)
class RefreshClock:
    """The clock of one store in one process."""

    request: RefreshRequest
    every_s: float
    """Seconds from the end of one look to the next."""
    _memory: RefreshMemory = field(init=False)
    _failures: int = 0
    _expired_s: float = 0.0
    _began_s: float = field(default_factory=time.time)
    _said: str = ""

    def __post_init__(self) -> None:
        self._memory = RefreshMemory(self.request.remembered_log())

    def run(self, say: Callable[[str], None]) -> NoReturn:
        """Looks for ever; says what happened, but not twice in a row that nothing did."""
        with threadpool_limits(1):
            while True:
                time.sleep(self.look_and_say(say))

    def look_and_say(self, say: Callable[[str], None]) -> float:
        """Looks once, says what is new, and returns the seconds until the next look."""
        look = self.look()
        if look.kind != "waits" or look.text.partition(":")[0] != self._said:
            say(look.text)
        self._said = look.text.partition(":")[0]
        return look.wait_s

    def look(self) -> ClockLook:
        """Looks once, and refreshes if enough events are new; never raises."""
        try:
            look = self._look()
        except RefreshRunning as error:
            return ClockLook("waits", f"{error}", self.every_s)
        except Exception as error:  # noqa: BLE001  # Whatever it was, the next look may go well.
            return self._failed(error)
        self._failures = 0
        return look

    def _look(self) -> ClockLook:
        with (
            open_server_store(self.request.store, self.request.settings) as server,
            refresh_turn(self.request.store, 0.0, server.store),
        ):
            if time.time() - self._expired_s >= EXPIRE_EVERY_S:
                self._expired_s = time.time()
                expire_if_due(server, system_clock())
            with server.store.snapshot() as snapshot:
                reason = self._reason_to_wait(snapshot)
            if reason:
                return ClockLook("waits", reason, self.every_s)
            check_store_for(server.config.store, self.request.workers)
            settings = self.request.fit_settings(released_settings(server.store))
            config = with_asked(server.config, self.request.objective)
            result = refresh_store(
                server.store,
                server.directory,
                config,
                settings,
                self.request.reader(server, LeftOut()),
                memory=self._memory,
                elsewhere=False,
            )
            with server.store.snapshot() as snapshot:
                took_s = read_refresh_note(snapshot).took_s
        text = (
            f"Refreshed in {took_s:.1f} s from {result.events:,} events, "
            f"{self._memory.log.read_users:,} users read: catalog version {result.head.version}. "
            f"{result.weights.sentence}"
        )
        return ClockLook("refreshed", text, self.every_s, result)

    def _reason_to_wait(self, snapshot: Snapshot) -> str:
        """Why it is too early to refresh; empty if it is time."""
        note, accepted = read_refresh_note(snapshot), read_accepted(snapshot)
        if not read_head(snapshot).alive:
            return "The store holds no items yet: nothing to refresh."
        if note.elsewhere and accepted < note.events:
            return (
                f"The items were learnt from {note.events:,} events of another log: the clock "
                f"waits until the store has accepted as many, {accepted:,} so far."
            )
        if not note.at_s and read_newest(snapshot) is not None and not accepted:
            return ""  # A log of an older release, which counted nothing.
        new = accepted - note.accepted
        if new < 0:
            return ""  # A backup was restored, or the count was lost.
        events = note.events + new
        if is_due(new, events, time.time() - (note.at_s or self._began_s)):
            return ""
        return (
            f"Too few new events to refresh: {new:,} since the last time, {enough(events):,} are "
            "enough, or any after an hour."
        )

    def _failed(self, error: Exception) -> ClockLook:
        self._failures += 1
        known = isinstance(error, PenchantError | LaunchError)
        text = str(error) if known else f"{type(error).__name__}: {error}"
        wait_s = min(
            LONGEST_RETRY_S,
            max(1.0, self.every_s * RETRY_SHARE) * 2.0 ** min(self._failures - 1, 16),
        )
        # The store itself may be what fails, which its server says.
        with (
            contextlib.suppress(Exception),
            open_server_store(self.request.store, self.request.settings) as server,
        ):
            _note_failure(server, text)
        return ClockLook(
            "failed", f"The refresh failed, tried again in {wait_s:.0f} s: {text}", wait_s
        )


def _note_failure(server: ServerStore, text: str) -> None:
    def note_it(transaction: Transaction) -> None:
        note: RefreshNote = read_refresh_note(transaction)
        failed = dataclasses.replace(note, failures=note.failures + 1, error=text[:500])
        write_refresh_note(transaction, failed)

    in_transaction(server.store, note_it)
