"""One server as queues: cores, processes that rank, and one process that commits in groups.

A discrete-event simulation (simpy). A call takes a core for Triton's part, waits for a process of
its kind, and takes a core again for that process's part. Feedback waits until the writer is free,
which then commits all that came, up to a batch: processor time on a core, then the disk.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

MOST_IN_A_BATCH = 64
"""As `max_batch_size` of the models."""

_Steps = Generator[Any, Any, None]


@dataclass(frozen=True, slots=True)
class ServerShape:
    """What a server has."""

    cores: int
    rank_processes: int


@dataclass(frozen=True, slots=True)
class ServerCosts:
    """What calls cost, in seconds."""

    rank_s: float
    """Processor time of a ranking in its process."""
    triton_s: float
    """Processor time of Triton for any call."""
    commit_s: Callable[[int], float]
    """Processor time of a commit of so many events."""
    sync_s: float
    """Time until the disk has a commit, without a core."""


@dataclass(frozen=True, slots=True)
class OfferedLoad:
    """Calls that arrive, each kind a Poisson process."""

    rank_per_s: float
    feedback_per_s: float = 0.0


@dataclass(slots=True)
class SimulatedRun:
    """What happened."""

    rank_s: list[float] = field(default_factory=list)
    """Seconds from arrival to answer of each ranking that came after the warm-up."""
    feedback_s: list[float] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    """Events of each commit."""
    left: int = 0
    """Calls that were in the server at the end."""
    mean_in_system: float = 0.0
    """Mean number of calls in the server, over the time after the warm-up."""
    seconds: float = 0.0
    """Simulated seconds after the warm-up."""
    core_seconds: float = 0.0
    """Processor time that was used, warm-up included."""


class _Server:
    def __init__(self, shape: ServerShape, costs: ServerCosts, warm_up_s: float) -> None:
        self.env = simpy.Environment()
        self.costs = costs
        self.warm_up_s = warm_up_s
        self.cores = simpy.Resource(self.env, shape.cores)
        self.rankers = simpy.Resource(self.env, shape.rank_processes)
        self.waiting = simpy.Store(self.env)
        self.run = SimulatedRun()
        self._inside, self._area, self._since = 0, 0.0, 0.0

    def arrivals(self, rate: float, call: Callable[[], _Steps], rng: random.Random) -> _Steps:
        while True:
            yield self.env.timeout(rng.expovariate(rate))
            self.env.process(call())

    def rank(self) -> _Steps:
        came = self._enter()
        yield from self._on_a_core(self.costs.triton_s)
        with self.rankers.request() as turn:
            yield turn
            yield from self._on_a_core(self.costs.rank_s)
        self._leave(came, self.run.rank_s)

    def feedback(self) -> _Steps:
        came = self._enter()
        yield from self._on_a_core(self.costs.triton_s)
        done = self.env.event()
        self.waiting.put(done)
        yield done
        self._leave(came, self.run.feedback_s)

    def writer(self) -> _Steps:
        while True:
            batch = [(yield self.waiting.get())]
            while self.waiting.items and len(batch) < MOST_IN_A_BATCH:
                batch.append((yield self.waiting.get()))
            yield from self._on_a_core(self.costs.commit_s(len(batch)))
            if self.costs.sync_s:
                yield self.env.timeout(self.costs.sync_s)
            self.run.batches.append(len(batch))
            for done in batch:
                done.succeed()

    def finish(self) -> SimulatedRun:
        self._count(0)
        self.run.left = self._inside
        self.run.seconds = self.env.now - self.warm_up_s
        self.run.mean_in_system = self._area / self.run.seconds
        return self.run

    def _on_a_core(self, seconds: float) -> _Steps:
        if not seconds:
            return
        with self.cores.request() as turn:
            yield turn
            yield self.env.timeout(seconds)
        self.run.core_seconds += seconds

    def _enter(self) -> float:
        self._count(1)
        return float(self.env.now)

    def _leave(self, came: float, kept: list[float]) -> None:
        self._count(-1)
        if came >= self.warm_up_s:
            kept.append(self.env.now - came)

    def _count(self, change: int) -> None:
        since = max(self._since, self.warm_up_s)
        if self.env.now > since:
            self._area += self._inside * (self.env.now - since)
        self._since = self.env.now
        self._inside += change


def simulated(
    shape: ServerShape, costs: ServerCosts, load: OfferedLoad, seconds: float, seed: int = 1
) -> SimulatedRun:
    """Runs a server under a load; the first tenth is a warm-up.

    Args:
        shape: cores and processes.
        costs: of calls.
        load: arrivals per second.
        seconds: simulated seconds.
        seed: the same seed gives the same arrivals to every shape.
    """
    server = _Server(shape, costs, seconds / 10)
    rngs = (random.Random(f"{seed}-rank"), random.Random(f"{seed}-feedback"))
    if load.rank_per_s:
        server.env.process(server.arrivals(load.rank_per_s, server.rank, rngs[0]))
    if load.feedback_per_s:
        server.env.process(server.writer())
        server.env.process(server.arrivals(load.feedback_per_s, server.feedback, rngs[1]))
    server.env.run(until=seconds)
    return server.finish()
