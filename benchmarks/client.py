"""The client of the benchmarks: one process for every call, so that ratios compare servers.

`alone` sends one request at a time over a blocking stub. `crowd` runs coroutines over one asyncio
channel, the cheapest client in Python: it uses about half a core at 6,000 requests per second, and
threads use twice that.
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
class CrowdResult:
    """Throughput of many clients in one run."""

    per_second: float
    """Requests per second."""
    client_cores: float
    """Cores used by the client itself; near 1, the client would be the bottleneck."""


@contextmanager
def client_process() -> Iterator[ProcessPoolExecutor]:
    """Yields a single process that runs all measurements, apart from this process's threads."""
    context = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        yield pool


def alone(target: str, recipe: CallRecipe, seconds: float, seed: int) -> list[float]:
    """Sends requests one after the other for some seconds; returns the milliseconds of each."""
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


def crowd(target: str, recipe: CallRecipe, clients: int, seconds: float, seed: int) -> CrowdResult:
    """Sends requests from many clients for some seconds, each with one request in flight."""
    most = math.ceil(seconds * _MOST_PER_SECOND[recipe.verb])
    requests = bodies(recipe, most + clients, seed)
    with _no_collections():
        return asyncio.run(_crowd(target, recipe, clients, seconds, requests))


async def _crowd(
    target: str, recipe: CallRecipe, clients: int, seconds: float, requests: list[bytes]
) -> CrowdResult:
    waiting = iter(requests)
    answers: list[bytes] = []
    async with grpc.aio.insecure_channel(target, proxy_options(target)) as channel:
        infer: Any = channel.unary_unary(_METHOD)  # Bytes in, bytes out.
        # One call of every client first, so that the connection and the server's threads exist.
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
    return CrowdResult(len(answers) / took, cores / took)


def bare_search(vectors: Path, dimensions: int, rows: int, k: int, seconds: float) -> list[float]:
    """Milliseconds of a search with NumPy alone: matrix product and partial sort, on one thread.

    Args:
        vectors: file of float32 item vectors, shape (rows or more, dimensions).
        dimensions: length of a vector.
        rows: vectors to search.
        k: items to find.
        seconds: duration of the measurement.
    """
    matrix = np.fromfile(vectors, np.float32).reshape(-1, dimensions)[:rows]
    user_vector = np.random.default_rng(3).standard_normal(dimensions, dtype=np.float32)
    latencies: list[float] = []
    # One BLAS thread, as in the models.
    importlib.import_module("threadpoolctl").threadpool_limits(1)
    with _no_collections():
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            started = time.perf_counter()
            scores = matrix @ user_vector
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
