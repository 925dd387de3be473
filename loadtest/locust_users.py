"""Locust's users: each plays one session after another, step by step.

Every step has a due time. A client that is late sends at once, and the latency counts from the due
time, so a server that stalls can't slow down the clock that measures it (coordinated omission).
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
from loadtest.traffic import (
    SHOWN,
    Arrivals,
    FeedbackStep,
    Population,
    RankStep,
    Session,
    Step,
    session,
)
from penchant_sdk import Event, Penchant, PenchantError


@dataclass(slots=True)
class LoadRun:
    """State that all users of a run share."""

    penchant: Penchant
    population: Population
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
    numbers: itertools.count[int] = field(default_factory=itertools.count)


class Visitor(User):
    """One client, which serves its share of the arrivals."""

    wait_time = constant(0)
    run_state: ClassVar[LoadRun]

    def on_start(self) -> None:
        """Takes the next number, which decides the client's share of the arrivals."""
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
        """Waits until the next step is due, then plays it."""
        due = self._due()
        if due - self.run_state.start >= self.run_state.end_s:
            raise StopUser
        pause = due - time.perf_counter()
        if pause > 0:
            time.sleep(pause)  # Patched by Locust: only this greenlet waits.
        if isinstance(self._next, RankStep):
            rank = self._next
            self._timed("rank", due, lambda: self._rank(rank))
        else:
            feedback = self._next
            self._timed("feedback", due, lambda: self._feedback(feedback))

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
        self.run_state.recorder.record(verb, (done - due) * 1e3, (done - sent) * 1e3, text)
        self.environment.events.request.fire(
            request_type="penchant",
            name=verb,
            response_time=(done - due) * 1e3,
            response_length=0,
            exception=error,
            context={},
        )

    def _advance(self, shown: Sequence[str] | None) -> None:
        """Moves to the session's next step, or to a new session if this one ended or failed."""
        try:
            if shown is None:
                raise StopIteration
            self._next = self._session.send(shown)
        except StopIteration:
            self._session = session(self._rng, self.run_state.population)
            self._next = next(self._session)

    def _rank(self, step: RankStep) -> Sequence[str]:
        ranking = self.run_state.penchant.rank(
            step.user,
            k=SHOWN,
            candidates=step.candidates,
            min_state_version=self._version if step.after_feedback else 0,
        )
        self._recommendation = ranking.recommendation_id
        return ranking.ids

    def _feedback(self, step: FeedbackStep) -> Sequence[str]:
        events = [
            Event(user=step.user, item=item, signal=signal, recommendation_id=self._recommendation)
            for item, signal in step.events
        ]
        ack = self.run_state.penchant.feedback(events)
        ack.raise_for_refused()
        self._version = ack.state_version(step.user)
        return ()
