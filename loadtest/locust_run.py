"""One run of Locust: started in processes of its own, ended in any case, its results read."""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from loadtest.results import Results, read_recorded
from penchant.launch.ports import FREE, Hosts, choose

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
_LATEST_S = 15.0
"""Longest time that Locust may run on after its last step was due, in seconds."""
_STOPPED_S = 3.0
"""The same after this process was told to stop."""


class LoadTestError(Exception):
    """The load test could not run."""


@dataclass(frozen=True, slots=True)
class Load:
    """One run of Locust."""

    clients: int
    rate: float
    """Arrivals per second; 0 means a closed loop."""
    warm_up_s: float
    duration_s: float


def run_locust(
    targets: Sequence[str],
    load: Load,
    shape: str,
    options: argparse.Namespace,
    scratch: Path,
    html: Path | None,
    acks: Path | None = None,
) -> Results:
    """Runs Locust in processes of its own, since it patches how Python waits.

    Args:
        targets: gRPC addresses of the servers.
        load: the load to put on it.
        shape: key of `SHAPES`.
        options: command-line options of the load test.
        scratch: directory for Locust's log and results.
        html: file for Locust's report; None for no report.
        acks: where the ledgers of acknowledgements go, one a worker, as `NAME-0.jsonl`; None: none
            is kept, and calls are not told apart by server.

    Raises:
        LoadTestError: Locust left no results.
    """
    path, log = scratch / "results.json", scratch / "locust.log"
    for old in scratch.glob("results-*.json"):
        old.unlink()
    seconds = load.warm_up_s + load.duration_s + 2
    clients = -(-load.clients // options.workers) * options.workers  # As many for each worker.
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--target"]
    command += [",".join(targets), "--acks", str(acks or "")]
    command += ["--world", options.world, "--shape", shape, "--rate", str(load.rate)]
    command += ["--warm-up-s", str(load.warm_up_s), "--duration-s", str(load.duration_s)]
    command += ["--items", str(options.items), "--visitors", str(options.visitors)]
    command += ["--seed", str(options.seed), "--results", str(path)]
    command += ["--load-workers", str(options.workers), "--clients", str(clients)]
    lead = [*command, "--headless", "--only-summary", "--exit-code-on-error", "0"]
    lead += ["--stop-timeout", "5", "--users", str(clients), "--spawn-rate", str(clients)]
    lead += ["--run-time", f"{seconds:.0f}s"]
    if html is not None:
        lead += ["--html", str(html)]
    with log.open("wb") as file, contextlib.ExitStack() as stack:
        if options.workers > 1:
            port = str(choose(FREE, Hosts()).http)
            lead += ["--master", "--expect-workers", str(options.workers)]
            lead += ["--master-bind-host", "127.0.0.1", "--master-bind-port", port]
            for _ in range(options.workers):
                work = [*command, "--worker", "--master-host", "127.0.0.1", "--master-port", port]
                stack.enter_context(_Ended(_start(work, file)))
        process = _start(lead, file)
        stack.enter_context(_Ended(process))
        # If Locust hangs, it has already left its results or never will; the check below tells.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds + _LATEST_S)
    left = sorted(scratch.glob("results-*.json"))
    if len(left) != options.workers:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
        raise LoadTestError("Locust left no results:\n" + "\n".join(tail))
    return read_recorded(left, load.duration_s)


def _start(command: Sequence[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)


class _Ended:
    """Lets a process of Locust end by itself, and kills it if it does not.

    An error or a signal that ends this process's wait ends Locust at once.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._process.terminate()
        try:
            self._process.wait(_LATEST_S if kind is None else _STOPPED_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
