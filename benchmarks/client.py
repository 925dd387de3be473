"""The load: one client process for every call, so that ratios compare servers.

Alone means one request at a time over a blocking stub. A crowd is coroutines over one asyncio
channel: of the clients in Python it is the cheapest, about half a core at 6,000 requests a second,
where threads spend twice that waiting for each other.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import math
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import numpy as np

from benchmarks.calls import CallRecipe, bodies, check
from penchant_proto.local_targets import proxy_options

_METHOD = "/inference.GRPCInferenceService/ModelInfer"
_TIMEOUT_S = 30.0
_MOST_PER_SECOND = {"floor": 12_000, "rank": 8_000, "search": 2_000, "feedback": 8_000}
_WARM_UP = 20


@dataclass(frozen=True, slots=True)
class Crowd:
    """What many clients got in one run."""

    per_second: float
    client_cores: float
    """Cores that the client itself used; near 1 it would be what is measured."""


@contextmanager
def client_process() -> Iterator[ProcessPoolExecutor]:
    """One process for all measurements; this one's threads and memory stay out of them."""
    context = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        yield pool


def alone(target: str, recipe: CallRecipe, seconds: float, seed: int) -> list[float]:
    """Milliseconds of each request, one after the other for so long."""
    requests = bodies(recipe, math.ceil(seconds * 4000) + _WARM_UP, seed)
    latencies: list[float] = []
    with grpc.insecure_channel(target, proxy_options(target)) as channel, _no_collections():
        infer: Any = channel.unary_unary(_METHOD)  # Bytes in, bytes out.
        answer = b""
        for request in requests[:_WARM_UP]:
            answer = infer(request, timeout=_TIMEOUT_S)
            check(recipe, answer)
        end = time.perf_counter() + seconds
        for request in requests[_WARM_UP:]:
            started = time.perf_counter()
            if started > end:
                break
            answer = infer(request, timeout=_TIMEOUT_S)
            latencies.append((time.perf_counter() - started) * 1e3)
    check(recipe, answer)
    return latencies


def crowd(target: str, recipe: CallRecipe, clients: int, seconds: float, seed: int) -> Crowd:
    """Requests a second of so many clients that each send the next one when one is answered."""
    most = math.ceil(seconds * _MOST_PER_SECOND[recipe.verb])
    requests = bodies(recipe, most + clients, seed)
    with _no_collections():
        return asyncio.run(_crowd(target, recipe, clients, seconds, requests))


async def _crowd(
    target: str, recipe: CallRecipe, clients: int, seconds: float, requests: list[bytes]
) -> Crowd:
    waiting = iter(requests)
    answers: list[bytes] = []
    async with grpc.aio.insecure_channel(target, proxy_options(target)) as channel:
        infer: Any = channel.unary_unary(_METHOD)  # Bytes in, bytes out.
        # All clients at once: the connection and the server's threads are there when it counts.
        await asyncio.gather(*(infer(next(waiting), timeout=_TIMEOUT_S) for _ in range(clients)))
        cpu, started = _cpu_s(), time.perf_counter()
        end = started + seconds

        async def one() -> None:
            for request in waiting:
                answers.append(await infer(request, timeout=_TIMEOUT_S))
                if time.perf_counter() > end:
                    return

        await asyncio.gather(*(one() for _ in range(clients)))
        took, cores = time.perf_counter() - started, _cpu_s() - cpu
    for answer in answers:
        check(recipe, answer)
    return Crowd(len(answers) / took, cores / took)


def bare_search(vectors: Path, dimensions: int, rows: int, k: int, seconds: float) -> list[float]:
    """Milliseconds of NumPy's matrix product and partial sort alone, with one thread as there."""
    matrix = np.fromfile(vectors, np.float32).reshape(-1, dimensions)[:rows]
    direction = np.random.default_rng(3).standard_normal(dimensions, dtype=np.float32)
    latencies: list[float] = []
    # As the models do it.
    importlib.import_module("threadpoolctl").threadpool_limits(1)
    with _no_collections():
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            started = time.perf_counter()
            scores = matrix @ direction
            np.argpartition(scores, rows - k)[rows - k :]
            latencies.append((time.perf_counter() - started) * 1e3)
    return latencies


def _cpu_s() -> float:
    times = os.times()
    return times.user + times.system


@contextmanager
def _no_collections() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
