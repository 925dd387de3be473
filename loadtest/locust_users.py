"""Locust's users: each plays one session after another, step by step.

Every step has a due time. A client that is late sends at once, and the latency counts from the due
time, so a server that stalls can't slow down the clock that measures it (coordinated omission).
"""

from __future__ import annotations

import itertools
import random
import time
from dataclasses import dataclass, field
from typing import Any, ClassVar

from locust import User, constant, task
from locust.exception import StopUser

from loadtest.noted_client import NotedClient
from loadtest.results import Recorder, by_server
from loadtest.timed_session import PlayedSession, SessionMaker, TimedCall
from loadtest.traffic import Arrivals
from penchant_sdk import Penchant, PenchantError


@dataclass(slots=True)
class LoadRun:
    """State that all users of a process share."""

    penchant: Penchant
    sessions: SessionMaker
    recorder: Recorder
    seed: int
    start: float
    """Due time of the first step, on the clock of `time.perf_counter`."""
    warm_up_s: float
    """Seconds after the start before which due steps are not recorded."""
    end_s: float
    """Seconds after the start from which no step is due."""
    arrivals: Arrivals | None
    """Due times of the open loop. None for a closed loop: a step is due when the last one ends."""
    worker: int = 0
    """Number of this process among those that share the arrivals."""
    workers: int = 1
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def name_of(self, verb: str) -> str:
        """The name under which the caller's last call counts: its server's, if calls are noted."""
        if isinstance(self.penchant, NotedClient):
            return by_server(verb, self.penchant.server)
        return verb

    def next_number(self) -> int:
        """The next client's number, different from those of all processes."""
        return next(self.numbers) * self.workers + self.worker


class Visitor(User):
    """One client, which serves its share of the arrivals."""

    wait_time = constant(0)
    run_state: ClassVar[LoadRun]

    def on_start(self) -> None:
        """Takes the next number, which decides the client's share of the arrivals."""
        run = self.run_state
        self._number = run.next_number()
        self._rng = random.Random(f"{run.seed}-{self._number}")
        self._step_number = 0
        self._begin()

    @task
    def step(self) -> None:
        """Waits until the next step is due, then plays it."""
        due = self._due()
        if due - self.run_state.start >= self.run_state.end_s:
            raise StopUser
        pause = due - time.perf_counter()
        if pause > 0:
            time.sleep(pause)  # Patched by Locust: only this greenlet waits.
        step = self._next
        sent, returned = time.perf_counter(), None
        error: PenchantError | None = None
        try:
            returned = step.call()
        except PenchantError as raised:
            error = raised
        done = time.perf_counter()
        if error is None:
            self._go_on(returned)
        else:
            self._begin()
        if due - self.run_state.start >= self.run_state.warm_up_s:
            self._record(
                self.run_state.name_of(step.verb), (done - due) * 1e3, (done - sent) * 1e3, error
            )

    def _due(self) -> float:
        run = self.run_state
        if run.arrivals is None:
            return max(run.start, time.perf_counter())
        due = run.start + run.arrivals.due_s(self._number, self._step_number)
        self._step_number += 1
        return due

    def _begin(self) -> None:
        """Starts the session of another user."""
        self._session: PlayedSession = self.run_state.sessions(self._rng)
        self._next: TimedCall = next(self._session)

    def _go_on(self, returned: Any) -> None:
        """Moves to the session's next step, or to a new session if this one ended."""
        try:
            self._next = self._session.send(returned)
        except StopIteration:
            self._begin()

    def _record(
        self, verb: str, from_due_ms: float, from_sent_ms: float, error: PenchantError | None
    ) -> None:
        text = "" if error is None else f"{type(error).__name__}: {error}"
        self.run_state.recorder.record(verb, from_due_ms, from_sent_ms, text)
        self.environment.events.request.fire(
            request_type="penchant",
            name=verb,
            response_time=from_due_ms,
            response_length=0,
            exception=error,
            context={},
        )
