"""`python -m loadtest`: a fresh server, its capacity, then a load of one of two shapes.

`steady`: two minutes at half of the capacity. `overload`: for each kind of call, half of its
capacity, three times as much as it can bear, half again.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.status import Status

from benchmarks.encoder import encoder_directory
from loadtest.load_report import LoadReport, Thresholds, broken
from loadtest.overload import overload
from loadtest.overload_calls import KINDS, USUAL_KINDS
from loadtest.overload_report import OverloadReport
from loadtest.resources import ResourceWatch, growth, trends
from loadtest.results import Results, read_results
from loadtest.traffic import item_id, item_text
from penchant.domain.errors import ConfigError
from penchant.launch import LaunchError, Server
from penchant_sdk import Item, Penchant

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
CAPACITY_CLIENTS = 16
CAPACITY_S = 10.0
CAPACITY_WARM_UP_S = 3.0
WARM_UP_S = 5.0
SHARE_OF_CAPACITY = 0.5
_LATEST_S = 15.0
"""Longest time that Locust may run on after its last step was due, in seconds."""


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
    target: str, load: Load, options: argparse.Namespace, scratch: Path, html: Path | None
) -> Results:
    """Runs Locust in a process of its own, since it patches how Python waits.

    Args:
        target: gRPC address of the server.
        load: the load to put on it.
        options: command-line options of the load test.
        scratch: directory for Locust's log and results.
        html: file for Locust's report; None for no report.

    Raises:
        LoadTestError: Locust left no results.
    """
    path, log = scratch / "results.json", scratch / "locust.log"
    path.unlink(missing_ok=True)
    seconds = load.warm_up_s + load.duration_s + 2
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless"]
    command += ["--only-summary", "--exit-code-on-error", "0", "--stop-timeout", "5"]
    command += ["--users", str(load.clients), "--spawn-rate", str(load.clients)]
    command += ["--run-time", f"{seconds:.0f}s", "--target", target, "--rate", str(load.rate)]
    command += ["--warm-up-s", str(load.warm_up_s), "--duration-s", str(load.duration_s)]
    command += ["--items", str(options.items), "--visitors", str(options.visitors)]
    command += ["--seed", str(options.seed), "--results", str(path)]
    if html is not None:
        command += ["--html", str(html)]
    # If Locust hangs, it has already left its results or never will; the check below tells.
    with log.open("wb") as file, contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            timeout=seconds + _LATEST_S,
            check=False,
        )
    if not path.is_file():
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
        raise LoadTestError("Locust left no results:\n" + "\n".join(tail))
    return read_results(path)


@contextmanager
def filled_server(
    items: int, encoder: Path, console: Console
) -> Iterator[tuple[Server, Path, Status]]:
    """A server with a store of its own and its items, its directory, and a line of progress."""
    with tempfile.TemporaryDirectory(prefix="penchant-loadtest-") as name:
        scratch = Path(name)
        settings = {"store": f"lmdb:{scratch / 'store'}", "encoder": str(encoder)}
        with console.status("Starting Triton") as status, Server(scratch, settings) as server:
            status.update(f"Encoding {items:,} items")
            put_items(server.target, items)
            yield server, scratch, status


def load_test(options: argparse.Namespace, encoder: Path, console: Console) -> LoadReport:
    """Runs the whole load test on a server with an empty store, which is stopped in any case."""
    html = options.out / "loadtest.html"
    with filled_server(options.items, encoder, console) as (server, scratch, status):
        capacity, rate = None, options.rate
        if rate is None:
            status.update(f"Measuring capacity for {CAPACITY_S:g} s")
            closed = Load(CAPACITY_CLIENTS, 0.0, CAPACITY_WARM_UP_S, CAPACITY_S)
            capacity = run_locust(server.target, closed, options, scratch, None).rate
            rate = SHARE_OF_CAPACITY * capacity
        status.update(f"{rate:,.0f} arrivals per second for {options.duration_s:g} s")
        load = Load(options.users, rate, WARM_UP_S, options.duration_s)
        with ResourceWatch(lambda: processes_of(server)) as watch:
            measured = run_locust(server.target, load, options, scratch, html)
    thresholds = Thresholds(
        p99_ms={"rank": options.p99_rank_ms, "feedback": options.p99_feedback_ms}
    )
    grown = growth(watch.samples)
    missed = broken(measured, rate, thresholds) + (grown or [])
    held = trends(watch.samples)
    return LoadReport(capacity, rate, options.users, measured, missed, held, grown is not None)


def overload_test(options: argparse.Namespace, encoder: Path, console: Console) -> OverloadReport:
    """Overloads a server with an empty store, which is stopped in any case."""
    with (
        filled_server(options.items, encoder, console) as (server, _, status),
        ResourceWatch(lambda: processes_of(server)) as watch,
    ):
        figures = asyncio.run(
            overload(server.target, options.kinds, options.phase_s, status.update)
        )
    return OverloadReport(figures, trends(watch.samples))


def processes_of(server: Server) -> dict[str, int]:
    """The server's processes by name."""
    pid = server.pid
    return {**server.pids(), **({} if pid is None else {"tritonserver": pid})}


def put_items(target: str, count: int) -> None:
    """Fills the catalog through the SDK, as an application would."""
    items = [Item(id=item_id(number), text=item_text(number)) for number in range(count)]
    with Penchant(target) as penchant:
        penchant.put_items(items, timeout_s=120.0)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parses the command line."""
    default = Thresholds().p99_ms
    parser = argparse.ArgumentParser("python -m loadtest", description=__doc__)
    parser.add_argument(
        "--shape", choices=("steady", "overload"), default="steady", help="shape of the load"
    )
    parser.add_argument(
        "--phase-s", type=float, default=8.0, help="overload: seconds of each of three phases"
    )
    parser.add_argument(
        "--kinds", nargs="+", choices=list(KINDS), default=USUAL_KINDS, help="overload: kinds"
    )
    parser.add_argument(
        "--duration-s", type=float, default=120.0, help="seconds of load after the warm-up"
    )
    parser.add_argument(
        "--rate", type=float, help="arrivals per second; default: half the capacity"
    )
    parser.add_argument("--users", type=int, default=64, help="clients that share the arrivals")
    parser.add_argument("--items", type=int, default=2000, help="items in the catalog")
    parser.add_argument(
        "--visitors", type=int, default=10_000, help="users who may start a session"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the traffic")
    for verb, most_ms in default.items():
        parser.add_argument(
            f"--p99-{verb}-ms", type=float, default=most_ms, help=f"largest p99 of {verb}, in ms"
        )
    parser.add_argument(
        "--encoder", type=Path, metavar="DIR", help="encoder to serve; default: in .penchant"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("out"), metavar="DIR", help="directory for the reports"
    )
    options = parser.parse_args(arguments)
    if options.duration_s <= 0 or (options.rate is not None and options.rate <= 0):
        parser.error("--duration-s and --rate: expected more than 0")
    if min(options.users, options.items, options.visitors) < 1:
        parser.error("--users, --items and --visitors: expected 1 or more")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the load test; returns 0, 1 if a threshold was broken, or 2 if it could not run."""
    options = parse(arguments)
    # SIGTERM ends it as Ctrl-C does: the server is stopped and its files are removed.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        with console.status("Looking for an encoder") as status:
            encoder = encoder_directory(options.encoder, status.update)
        report: LoadReport | OverloadReport
        if options.shape == "overload":
            report = overload_test(options, encoder, console)
        else:
            report = load_test(options, encoder, console)
    except (ConfigError, LaunchError, LoadTestError) as error:
        console.print(str(error), markup=False)
        return 2
    overloaded = options.shape == "overload"
    path = options.out / ("overload.json" if overloaded else "loadtest.json")
    report.write(path)
    report.show(console)
    html = "" if overloaded else f"{options.out / 'loadtest.html'}, "
    console.print(f"Reports: {html}{path}")
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
