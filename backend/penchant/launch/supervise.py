"""Starts a server again whenever it fails, and says so."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from penchant.launch.back_off import BackOff
from penchant.launch.errors import LaunchError, TritonAborted
from penchant.launch.refresh_process import RefreshProcess
from penchant.launch.server import Server
from penchant.launch.server_history import ServerHistory
from penchant.launch.vital_signs import Fault, VitalSigns
from penchant.system.supervision import RestartNote

TICK_S = 0.25
"""Seconds between two looks."""

STARTS = 5
"""Attempts of the first start, if Triton itself aborts."""


@dataclass(frozen=True, slots=True)
class WatchEvents:
    """Callbacks for what happens to a server that is up or was."""

    remark: Callable[[str], None]
    """A start cleaned something up, warns of something, or is tried again; receives a sentence."""
    fault: Callable[[Fault, float], None]
    """The server failed; receives why, and the seconds until it is started again."""
    back: Callable[[Server, float], None]
    """The server is up again; receives it, and the seconds from the fault to that moment."""


class Supervisor:
    """Keeps a server up: sees its faults, and starts it again on the same ports."""

    def __init__(
        self,
        server: Server,
        events: WatchEvents,
        stuck_after_s: float,
        clock: RefreshProcess | None = None,
    ) -> None:
        """Starts nothing yet.

        Args:
            server: the server.
            events: what to call.
            stuck_after_s: seconds without an answer after which an idle model counts as stuck.
            clock: started once the server is up, and again whenever it ends; None: no clock.
        """
        self._server = server
        self._events = events
        self._stuck_after_s = stuck_after_s
        self._clock = clock
        self._history = ServerHistory(server.directory)
        self._waits = BackOff()
        self._restarts = 0
        self._up_at = 0.0

    def start(self) -> None:
        """Starts the server for the first time; where Triton itself aborts, up to five times.

        Raises:
            LaunchError: the server cannot be started.
        """
        for attempt in range(1, STARTS + 1):
            try:
                self._start({})
            except TritonAborted as error:
                if attempt == STARTS:
                    raise LaunchError(
                        f"Triton aborted at {STARTS} starts in a row. The last time: {error}",
                        error.log,
                    ) from error
                first, *_ = str(error).splitlines()
                self._remark("start_failed", f"{first.rstrip(':')}; starting it again")
                time.sleep(self._waits.after(0.0))
            else:
                self._history.add("started", f"gRPC on {self._server.target}")
                self._start_clock()
                return

    def watch(self) -> None:
        """Watches the server and starts it again after each fault; returns only by an exception."""
        while True:
            self._restart(self._next_fault())

    def _start_clock(self) -> None:
        try:
            if self._clock is not None:
                self._clock.start()
        except OSError as error:  # A full disk, for example; `look` tries again.
            self._remark("clock", f"The refresh clock cannot be started: {error.strerror}")

    def stopped(self) -> None:
        """Notes that somebody stopped the server."""
        self._history.add("stopped", "on request")

    def _next_fault(self) -> Fault:
        signs = VitalSigns(self._server, self._stuck_after_s)
        looked_at = time.monotonic()
        try:
            while True:
                time.sleep(TICK_S)
                now = time.monotonic()
                fault = signs.look(now - looked_at)
                if fault is not None:
                    return fault
                if self._clock is not None:
                    self._clock.look()
                looked_at = now
        finally:
            signs.close()

    def _restart(self, fault: Fault) -> None:
        failed_at = time.monotonic()
        wait_s = self._waits.after(failed_at - self._up_at)
        while True:
            self._restarts += 1
            self._history.add(fault.kind, f"{fault.text}\nrestart {self._restarts}")
            self._events.fault(fault, wait_s)
            self._server.kill()
            time.sleep(wait_s)
            try:
                self._start(RestartNote(self._restarts, fault.kind, time.time()).environment())
            except LaunchError as error:
                fault, wait_s = Fault("start_failed", str(error)), self._waits.after(0.0)
                continue
            took_s = time.monotonic() - failed_at
            self._history.add("started", f"again after {took_s:.1f} s")
            self._events.back(self._server, took_s)
            return

    def _start(self, environment: dict[str, str]) -> None:
        self._server.start(environment)
        self._up_at = time.monotonic()
        for text in self._server.remarks:
            self._remark("cleaned", text)

    def _remark(self, kind: str, text: str) -> None:
        self._history.add(kind, text)
        self._events.remark(text)
