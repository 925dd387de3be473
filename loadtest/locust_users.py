"""Locust's users: each lives through sessions, one step at a time, and never waits for its turn.

Every step has a time at which it is due. A client that is late goes on at once, and the latency
counts from when the step was due: a server that stalls can't slow its own clock (coordinated
omission).
"""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from locust import User, constant, task
from locust.exception import StopUser

from loadtest.results import Recorder
from loadtest.traffic import SHOWN, Arrivals, Ask, Population, Session, Step, Tell, session
from penchant_sdk import Event, Penchant, PenchantError


@dataclass(slots=True)
class Run:
    """What all users of a run share."""

    penchant: Penchant
    population: Population
    recorder: Recorder
    seed: int
    start: float
    """When the first step is due, by `time.perf_counter`."""
    warm_up_s: float
    """Steps due so soon after the start are not recorded."""
    end_s: float
    """No step is due so long after the start."""
    arrivals: Arrivals | None
    """None: a closed loop, each step due when the one before is done."""
    numbers: itertools.count[int] = field(default_factory=itertools.count)


class Visitor(User):
    """One client of the arrivals."""

    wait_time = constant(0)
    run_state: ClassVar[Run]

    def on_start(self) -> None:
        """Takes the next number, which gives the client its place in the arrivals."""
        run = self.run_state
        self._number = next(run.numbers)
        self._rng = random.Random(f"{run.seed}-{self._number}")
        self._step_number = 0
        self._session: Session = session(self._rng, run.population)
        self._next: Step = next(self._session)
        self._version = 0
        self._recommendation = ""

    @task
    def step(self) -> None:
        """Waits until the next step is due, and does it."""
        due = self._due()
        if due - self.run_state.start >= self.run_state.end_s:
            raise StopUser
        pause = due - time.perf_counter()
        if pause > 0:
            time.sleep(pause)  # Locust made it a wait of this greenlet alone.
        if isinstance(self._next, Ask):
            ask = self._next
            self._timed("rank", due, lambda: self._rank(ask))
        else:
            tell = self._next
            self._timed("feedback", due, lambda: self._feedback(tell))

    def _due(self) -> float:
        run = self.run_state
        if run.arrivals is None:
            return max(run.start, time.perf_counter())
        due = run.start + run.arrivals.due_s(self._number, self._step_number)
        self._step_number += 1
        return due

    def _timed(self, verb: str, due: float, call: Callable[[], Sequence[str]]) -> None:
        sent, shown = time.perf_counter(), None
        error: PenchantError | None = None
        try:
            shown = call()
        except PenchantError as raised:
            error = raised
        done = time.perf_counter()
        self._advance(shown)
        if due - self.run_state.start < self.run_state.warm_up_s:
            return
        text = "" if error is None else f"{type(error).__name__}: {error}"
        self.run_state.recorder.take(verb, (done - due) * 1e3, (done - sent) * 1e3, text)
        self.environment.events.request.fire(
            request_type="penchant",
            name=verb,
            response_time=(done - due) * 1e3,
            response_length=0,
            exception=error,
            context={},
        )

    def _advance(self, shown: Sequence[str] | None) -> None:
        """Goes to the session's next step; a new session begins where it is over or has failed."""
        try:
            if shown is None:
                raise StopIteration
            self._next = self._session.send(shown)
        except StopIteration:
            self._session = session(self._rng, self.run_state.population)
            self._next = next(self._session)

    def _rank(self, ask: Ask) -> Sequence[str]:
        ranking = self.run_state.penchant.rank(
            ask.user,
            k=SHOWN,
            candidates=ask.candidates,
            min_state_version=self._version if ask.after_feedback else 0,
        )
        self._recommendation = ranking.recommendation_id
        return ranking.ids

    def _feedback(self, tell: Tell) -> Sequence[str]:
        events = [
            Event(user=tell.user, item=item, signal=signal, recommendation_id=self._recommendation)
            for item, signal in tell.events
        ]
        ack = self.run_state.penchant.feedback(events)
        ack.raise_for_refused()
        self._version = ack.state_version(tell.user)
        return ()
