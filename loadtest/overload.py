"""The shape `overload`: half of the capacity, three times the capacity, half of it again.

Open loop: a call is sent when it is due, whether or not earlier ones were answered, as independent
callers do. Beside it, small calls of others go on at a low rate.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier

from loadtest.overload_calls import KINDS, CallKind, Numbers, prepare
from loadtest.overload_report import OverloadFigures
from penchant.report.quantile import quantile
from penchant_sdk import PenchantError
from penchant_sdk.aio import AsyncPenchant

CALM_SHARE, BURST_SHARE = 0.5, 3.0
RAMP_S = 3.0
"""Seconds of each step of the search for the capacity, which each step's last calls outlast."""
SMALL_PER_S = 20.0
"""Small calls of each kind per second."""
WINDOW_S = 0.5
"""Seconds over which the success of calls is judged after the burst."""
RECOVERED = 0.9
"""Share of successful calls at which a server has recovered."""
HEAD_START_S = 0.5
"""Seconds from the time when the processes of the small calls are up to the first call."""
LONGEST_START_S = 60.0
"""Longest time that the processes of the small calls may take to start, in seconds."""
OTHERS_FROM = 1 << 40
"""First number of others' calls, which must differ from all others."""
LATEST_S = 1.0
"""Seconds of lateness after which a call is not sent any more; as long as a caller waits."""
SETTLE_S = 2.0
"""Seconds between two kinds of calls."""


@dataclass(slots=True)
class _Sent:
    """The calls of one kind: due time in seconds after the start, latency, and success."""

    due_s: list[float] = field(default_factory=list)
    took_s: list[float] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)
    """Seconds by which each was late, because this program was busy; also of those not sent."""
    sent_s: list[float] = field(default_factory=list)
    """When each was sent, in seconds after the start."""
    ok: list[bool] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)

    def between(self, start_s: float, end_s: float) -> list[int]:
        """Positions of the calls that were due in a time."""
        return [at for at, due in enumerate(self.due_s) if start_s <= due < end_s]

    def share_ok(self, start_s: float, end_s: float) -> float:
        """Share of the calls due in a time that were answered; 1 without any."""
        places = self.between(start_s, end_s)
        return sum(self.ok[at] for at in places) / len(places) if places else 1.0

    def p99_ms(self, start_s: float, end_s: float) -> float:
        """Of the calls due in a time, from the moment they were sent; a failed one counts too."""
        took = sorted(self.took_s[at] for at in self.between(start_s, end_s))
        return quantile(took, 0.99) * 1e3 if took else 0.0


async def overload(
    target: str, names: Sequence[str], phase_s: float, say: object = None
) -> list[OverloadFigures]:
    """Overloads a server with each kind of call in turn.

    Args:
        target: gRPC address.
        names: kinds, keys of `KINDS`.
        phase_s: seconds of each of the three phases.
        say: called with a line before each kind; None: nobody.
    """
    figures = []
    # A server that was overloaded before knows the events of that time, and takes none twice.
    numbers = Numbers(secrets.randbelow(OTHERS_FROM // 2))
    async with AsyncPenchant(target) as client:
        await prepare(client)
        for place, name in enumerate(names):
            if place:
                await asyncio.sleep(SETTLE_S)
            if callable(say):
                say(f"Overloading with: {name}")
            figures.append(await _overload_with(target, client, KINDS[name], phase_s, numbers))
    return figures


async def _overload_with(
    target: str, client: AsyncPenchant, kind: CallKind, phase_s: float, numbers: Numbers
) -> OverloadFigures:
    # The small calls of others go on from the beginning: the best throughput is measured beside
    # them, as the burst is.
    lead_s = len(kind.clients) * (RAMP_S + LATEST_S)
    small_dues = [
        number / SMALL_PER_S for number in range(int((lead_s + 3 * phase_s) * SMALL_PER_S))
    ]
    loop = asyncio.get_running_loop()
    processes_of = get_context("spawn")
    up = processes_of.Barrier(len(kind.beside) + 1)
    with ProcessPoolExecutor(
        len(kind.beside), processes_of, initializer=_wait_for_all, initargs=(up,)
    ) as processes:
        # As long as no process of the pool is up, each call starts one.
        calls = [loop.run_in_executor(processes, time.monotonic) for _ in kind.beside]
        await asyncio.gather(asyncio.to_thread(up.wait, LONGEST_START_S), *calls)
        begin = time.monotonic() + HEAD_START_S
        small_runs = [
            loop.run_in_executor(processes, _others, target, name, small_dues, begin)
            for name in kind.beside
        ]
        peak = 0.0
        for clients in kind.clients:
            peak = max(peak, await _closed(client, kind, clients, numbers))
        rates = [CALM_SHARE * peak, BURST_SHARE * peak, CALM_SHARE * peak]
        dues = [
            phase * phase_s + number / rate
            for phase, rate in enumerate(rates)
            for number in range(int(rate * phase_s))
        ]
        start = max(begin + lead_s, time.monotonic())
        sent, *small = await asyncio.gather(_open(client, kind, dues, start, numbers), *small_runs)
    lead_s = start - begin
    burst = (phase_s, 2 * phase_s)
    places = sent.between(*burst)
    answered = sum(sent.ok[at] for at in places)
    # Sending may take longer than it should, if this program cannot keep up.
    burst_s = max([phase_s, *(sent.sent_s[at] - phase_s for at in places)])
    return OverloadFigures(
        kind=kind.name,
        peak_per_s=peak,
        offered_per_s=rates[1],
        burst_goodput_per_s=answered / burst_s,
        calm_success=sent.share_ok(0.0, phase_s),
        recovery_s=_recovery_s(sent, 2 * phase_s, 3 * phase_s),
        small_p99_ms={
            name: (
                one.p99_ms(lead_s, lead_s + phase_s),
                one.p99_ms(lead_s + phase_s, lead_s + 2 * phase_s),
            )
            for name, one in zip(kind.beside, small, strict=True)
        },
        small_success={
            name: one.share_ok(lead_s + phase_s, lead_s + 2 * phase_s)
            for name, one in zip(kind.beside, small, strict=True)
        },
        late_ms=quantile(sorted(sent.late_s), 0.99) * 1e3,
        errors=sent.errors,
    )


def _recovery_s(sent: _Sent, burst_end_s: float, end_s: float) -> float:
    """Seconds after the burst from which on the server answers nearly all calls again."""
    recovered = end_s
    at = end_s
    while at - WINDOW_S >= burst_end_s - 1e-9:
        if sent.share_ok(at - WINDOW_S, at) < RECOVERED:
            break
        at -= WINDOW_S
        recovered = at
    return recovered - burst_end_s


async def _closed(client: AsyncPenchant, kind: CallKind, clients: int, numbers: Numbers) -> float:
    """Answered calls per second with some calls under way at all times."""
    end = time.monotonic() + RAMP_S
    answered = 0

    async def one() -> None:
        nonlocal answered
        while time.monotonic() < end:
            try:
                await kind.send(client, numbers.take())
                answered += time.monotonic() < end
            except PenchantError:
                continue

    await asyncio.gather(*(one() for _ in range(clients)))
    return max(answered / RAMP_S, 1.0)


def _wait_for_all(up: Barrier) -> None:
    up.wait(LONGEST_START_S)


def _others(target: str, name: str, dues: Sequence[float], start: float) -> _Sent:
    """Small calls of others, in a process of their own: they must not wait for this one's work."""

    async def run() -> _Sent:
        async with AsyncPenchant(target) as client:
            return await _open(client, KINDS[name], dues, start, Numbers(OTHERS_FROM))

    return asyncio.run(run())


async def _open(
    client: AsyncPenchant, kind: CallKind, dues: Sequence[float], start: float, numbers: Numbers
) -> _Sent:
    """Sends each call when it is due; returns when all are answered or given up."""
    sent = _Sent()
    tasks = []
    for due in dues:
        pause = start + due - time.monotonic()
        if pause < -LATEST_S:
            sent.late_s.append(-pause)  # Not sent: the load is less than stated, and not judged.
            continue
        # Even one that is late lets the answers in.
        await asyncio.sleep(max(0.0, pause))
        tasks.append(asyncio.create_task(_send(client, kind, due, start, numbers.take(), sent)))
    await asyncio.gather(*tasks)
    return sent


async def _send(
    client: AsyncPenchant, kind: CallKind, due: float, start: float, number: int, sent: _Sent
) -> None:
    began = time.monotonic()
    try:
        await kind.send(client, number)
        ok = True
    except PenchantError as error:
        ok = False
        name = type(error).__name__
        sent.errors[name] = sent.errors.get(name, 0) + 1
    sent.due_s.append(due)
    sent.took_s.append(time.monotonic() - began)
    sent.late_s.append(max(0.0, began - start - due))
    sent.sent_s.append(began - start)
    sent.ok.append(ok)
