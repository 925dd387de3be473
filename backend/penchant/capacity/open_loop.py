"""Open-loop load from processes of its own: calls are sent when they are due, answered or not.

A client that waits for one answer before it sends the next call slows down with the server, and so
leaves out the calls that a stall would have hurt: coordinated omission (Tene, How NOT to Measure
Latency, 2013; wrk2). Here every call has a due time from the start, and its latency counts from
then, however late it was sent.
"""

from __future__ import annotations

import asyncio
import gc
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self, cast

import grpc
import grpc.aio

from penchant.capacity.load_calls import CallMix, bodies
from penchant.domain.errors import ConfigError
from penchant_proto.local_targets import proxy_options

_METHOD = "/inference.GRPCInferenceService/ModelInfer"
_REASON = re.compile(r"\[([A-Z][A-Za-z]+)\]")
_HEAD_START_S = 0.1
"""Seconds from the time when every sender has its calls to the first one."""


@dataclass(frozen=True, slots=True)
class Address:
    """How the senders reach the server; made of plain values, since they are other processes."""

    target: str
    token: str = ""
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None

    def channel(self) -> grpc.aio.Channel:
        """A channel to the server."""
        options = proxy_options(self.target)
        if self.tls_ca is None:
            return grpc.aio.insecure_channel(self.target, options)
        key = self.tls_key.read_bytes() if self.tls_key else None
        cert = self.tls_cert.read_bytes() if self.tls_cert else None
        credentials = grpc.ssl_channel_credentials(self.tls_ca.read_bytes(), key, cert)
        return grpc.aio.secure_channel(self.target, credentials, options)

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """The metadata of every call."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()


@dataclass(frozen=True, slots=True)
class LoadLevel:
    """One rate, and for how long."""

    rate: float
    """Arrivals per second over all senders, a Poisson process."""
    warm_up_s: float
    """Seconds of load that are not recorded."""
    measured_s: float
    deadline_s: float
    """Deadline of each call, in seconds."""


@dataclass(slots=True)
class SentCalls:
    """The recorded calls of a level, in parallel lists."""

    due_s: list[float] = field(default_factory=list)
    """Due times in seconds after the start."""
    took_ms: list[float] = field(default_factory=list)
    """Milliseconds from when each was due to its answer or its failure."""
    late_ms: list[float] = field(default_factory=list)
    """Milliseconds from when each was due to when it was sent: the sender's own delay."""
    failed: list[bool] = field(default_factory=list)
    verb: list[str] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    """Failed calls by reason."""
    sender_cpu_s: float = 0.0
    """Seconds of processor time of the senders, warm-up included."""

    def extend(self, other: SentCalls) -> None:
        """Adds the calls of another sender."""
        self.due_s += other.due_s
        self.took_ms += other.took_ms
        self.late_ms += other.late_ms
        self.failed += other.failed
        self.verb += other.verb
        self.errors.update(other.errors)
        self.sender_cpu_s += other.sender_cpu_s


class Senders:
    """Processes that send; they share the arrivals, each a Poisson process of its own."""

    def __init__(self, address: Address, mix: CallMix, count: int) -> None:
        """Starts the processes.

        Args:
            address: the server.
            mix: the calls.
            count: number of processes, 1 or more.
        """
        context = get_context("spawn")
        self._lines: list[Connection] = []
        self._processes = []
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, address, mix), daemon=True)
            process.start()
            theirs.close()
            self._lines.append(ours)
            self._processes.append(process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for line in self._lines:
            line.close()
        for process in self._processes:
            process.terminate()
            process.join()

    def send(self, level: LoadLevel, seed: str, on_start: Callable[[float], None]) -> SentCalls:
        """Sends a level, and waits for its last answer.

        Args:
            level: the rate, and for how long.
            seed: of arrivals and calls.
            on_start: called in this thread once the senders have the time of the start, with that
                time on the clock of `time.monotonic`; the calls are on their way meanwhile.

        Raises:
            ConfigError: a sender ended before it had an answer.
        """
        share = replace(level, rate=level.rate / len(self._lines))
        try:
            for number, line in enumerate(self._lines):
                line.send((share, f"{seed}-{number}"))
            for line in self._lines:
                line.recv()
            start = time.monotonic() + _HEAD_START_S
            for line in self._lines:
                line.send(start)
            on_start(start)
            sent = SentCalls()
            for line in self._lines:
                sent.extend(line.recv())
        except (EOFError, OSError) as error:
            raise ConfigError("a process that sends the load ended; is there memory?") from error
        return sent


def due_times(rate: float, seconds: float, rng: random.Random) -> list[float]:
    """Due times of a Poisson process, in seconds from 0, before `seconds`."""
    times = []
    at = rng.expovariate(rate)
    while at < seconds:
        times.append(at)
        at += rng.expovariate(rate)
    return times


def _serve(line: Connection, address: Address, mix: CallMix) -> None:
    """A sender: takes levels until its line ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the group; the parent decides.
    try:
        while True:
            level, seed = line.recv()
            rng = random.Random(seed)
            dues = due_times(level.rate, level.warm_up_s + level.measured_s, rng)
            calls = bodies(mix, len(dues), seed)
            line.send("ready")
            line.send(asyncio.run(_send(address, level, dues, calls, line.recv())))
    except EOFError:
        return


async def _send(
    address: Address,
    level: LoadLevel,
    dues: Sequence[float],
    calls: Sequence[tuple[str, bytes]],
    start: float,
) -> SentCalls:
    sent, tasks = SentCalls(), []
    cpu = time.process_time()
    gc.disable()
    async with address.channel() as channel:
        infer: Any = channel.unary_unary(_METHOD)  # Bytes in, bytes out.
        metadata = address.metadata()

        async def one(due: float, verb: str, body: bytes) -> None:
            began = time.monotonic()
            error = ""
            try:
                await infer(body, timeout=level.deadline_s, metadata=metadata)
            except grpc.RpcError as raised:
                error = _reason(cast(grpc.Call, raised))
            done = time.monotonic()
            if due < level.warm_up_s:
                return
            sent.due_s.append(due)
            sent.took_ms.append((done - start - due) * 1e3)
            sent.late_ms.append((began - start - due) * 1e3)
            sent.failed.append(bool(error))
            sent.verb.append(verb)
            if error:
                sent.errors[error] += 1

        for due, (verb, body) in zip(dues, calls, strict=True):
            # Even one that is late lets the answers in.
            await asyncio.sleep(max(0.0, start + due - time.monotonic()))
            tasks.append(asyncio.create_task(one(due, verb, body)))
        await asyncio.gather(*tasks)
    gc.enable()
    sent.sender_cpu_s = time.process_time() - cpu
    return sent


def _reason(call: grpc.Call) -> str:
    """The reason of a failed call: the server's own, or gRPC's code."""
    found = _REASON.search(call.details() or "")
    return found.group(1) if found else call.code().name


def in_order(sent: SentCalls) -> list[int]:
    """Positions of the calls in the order of due times: several senders are mixed."""
    return sorted(range(len(sent.due_s)), key=sent.due_s.__getitem__)
