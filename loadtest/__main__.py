"""`python -m loadtest`: a fresh server, its capacity, then a load of some shape.

Open loops over the users of a world (shop, ads, games, homes): `steady`, half of the capacity;
`soak`, 70 % of it for half an hour; `ramp`, from a tenth to 90 %; `spike`, three times as much for
a tenth of the run; `diurnal`, a day in four minutes. `overload`: for each kind of call, half of its
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
from typing import IO

from rich.console import Console
from rich.status import Status

from benchmarks.encoder import encoder_directory
from loadtest.load_report import LoadReport, Thresholds, broken
from loadtest.overload import overload
from loadtest.overload_calls import KINDS, USUAL_KINDS
from loadtest.overload_report import OverloadReport
from loadtest.resources import ResourceWatch, growth, trends
from loadtest.results import Results, read_recorded
from loadtest.shapes import SHAPES, SHARE_OF_CAPACITY, USUAL_S, RateCurve
from loadtest.worlds import WORLDS
from penchant.domain.errors import ConfigError
from penchant.launch import LaunchError, Server
from penchant.launch.model_parameters import gather
from penchant.launch.ports import FREE, Hosts, choose
from penchant_sdk import Penchant

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
CAPACITY_CLIENTS = 16
CAPACITY_S = 10.0
CAPACITY_WARM_UP_S = 3.0
WARM_UP_S = 5.0
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
    target: str,
    load: Load,
    shape: str,
    options: argparse.Namespace,
    scratch: Path,
    html: Path | None,
) -> Results:
    """Runs Locust in processes of its own, since it patches how Python waits.

    Args:
        target: gRPC address of the server.
        load: the load to put on it.
        shape: key of `SHAPES`.
        options: command-line options of the load test.
        scratch: directory for Locust's log and results.
        html: file for Locust's report; None for no report.

    Raises:
        LoadTestError: Locust left no results.
    """
    path, log = scratch / "results.json", scratch / "locust.log"
    for old in scratch.glob("results-*.json"):
        old.unlink()
    seconds = load.warm_up_s + load.duration_s + 2
    clients = -(-load.clients // options.workers) * options.workers  # As many for each worker.
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--target", target]
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
                stack.callback(_end, _start(work, file))
        process = _start(lead, file)
        stack.callback(_end, process)
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


def _end(process: subprocess.Popen[bytes]) -> None:
    """Lets a process of Locust end by itself, and kills it if it does not."""
    try:
        process.wait(_LATEST_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def filled_server(
    options: argparse.Namespace, encoder: Path, console: Console
) -> Iterator[tuple[Server, Path, Status]]:
    """A server with a store of its own and its items, its directory, and a line of progress."""
    with tempfile.TemporaryDirectory(prefix="penchant-loadtest-") as name:
        scratch = Path(name)
        world = WORLDS[options.world]
        settings = gather(f"lmdb:{scratch / 'store'}", encoder, world.settings)
        with console.status("Starting Triton") as status, Server(scratch, settings) as server:
            status.update("Encoding items")
            with Penchant(server.target) as penchant:
                world.fill(penchant, options.items)
            yield server, scratch, status


def load_test(options: argparse.Namespace, encoder: Path, console: Console) -> LoadReport:
    """Runs the whole load test on a server with an empty store, which is stopped in any case."""
    html = options.out / "loadtest.html"
    shape = options.shape
    with filled_server(options, encoder, console) as (server, scratch, status):
        capacity, rate = None, options.rate
        if rate is None:
            status.update(f"Measuring capacity for {CAPACITY_S:g} s")
            closed = Load(CAPACITY_CLIENTS, 0.0, CAPACITY_WARM_UP_S, CAPACITY_S)
            capacity = run_locust(server.target, closed, "steady", options, scratch, None).rate
            rate = SHARE_OF_CAPACITY[shape] * capacity
        status.update(f"{rate:,.0f} arrivals per second, {shape}, {options.duration_s:g} s")
        load = Load(options.users, rate, WARM_UP_S, options.duration_s)
        with ResourceWatch(lambda: processes_of(server)) as watch:
            measured = run_locust(server.target, load, shape, options, scratch, html)
    curve = RateCurve.of(shape, rate, options.duration_s)
    due = curve.arrivals(options.duration_s)
    thresholds = Thresholds(p99_ms={**WORLDS[options.world].p99_ms, **dict(options.p99_ms)})
    grown = growth(watch.samples)
    missed = broken(measured, due, thresholds) + (grown or [])
    held = trends(watch.samples)
    title = f"{options.world}, {shape}"
    return LoadReport(
        title, capacity, rate, options.users, measured, missed, held, grown is not None
    )


def overload_test(options: argparse.Namespace, encoder: Path, console: Console) -> OverloadReport:
    """Overloads a server with an empty store, which is stopped in any case."""
    with (
        filled_server(options, encoder, console) as (server, _, status),
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


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser("python -m loadtest", description=__doc__)
    parser.add_argument(
        "--shape", choices=(*SHAPES, "overload"), default="steady", help="shape of the load"
    )
    parser.add_argument("--world", choices=list(WORLDS), default="shop", help="who the users are")
    parser.add_argument(
        "--workers", type=int, default=1, help="processes of Locust that share the arrivals"
    )
    parser.add_argument(
        "--phase-s", type=float, default=8.0, help="overload: seconds of each of three phases"
    )
    parser.add_argument(
        "--kinds", nargs="+", choices=list(KINDS), default=USUAL_KINDS, help="overload: kinds"
    )
    parser.add_argument(
        "--duration-s", type=float, help="seconds of load after the warm-up; default: the shape's"
    )
    parser.add_argument(
        "--rate", type=float, help="highest arrivals per second; default: by the capacity"
    )
    parser.add_argument("--users", type=int, default=64, help="clients that share the arrivals")
    parser.add_argument("--items", type=int, help="items in the catalog; default: the world's")
    parser.add_argument(
        "--visitors", type=int, default=10_000, help="users who may start a session"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the traffic")
    parser.add_argument(
        "--p99-ms",
        action="append",
        default=[],
        type=_threshold,
        metavar="VERB=MS",
        help="largest p99 of a verb; repeatable",
    )
    parser.add_argument(
        "--encoder", type=Path, metavar="DIR", help="encoder to serve; default: in .penchant"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("out"), metavar="DIR", help="directory for the reports"
    )
    options = parser.parse_args(arguments)
    if options.duration_s is None:
        options.duration_s = USUAL_S.get(options.shape, 0.0) or 1.0
    if options.items is None:
        options.items = WORLDS[options.world].usual_items
    if options.shape == "overload" and options.world != "shop":
        parser.error(f"--world: got {options.world}, expected shop: overload has calls of its own")
    if options.duration_s <= 0 or (options.rate is not None and options.rate <= 0):
        parser.error("--duration-s and --rate: expected more than 0")
    if min(options.users, options.items, options.visitors, options.workers) < 1:
        parser.error("--users, --items, --visitors and --workers: expected 1 or more")
    known = WORLDS[options.world].p99_ms
    for verb, _ in options.p99_ms:
        if verb not in known:
            parser.error(f"--p99-ms: got {verb!r}, expected one of {', '.join(known)}")
    return options


def _threshold(text: str) -> tuple[str, float]:
    verb, _, most_ms = text.rpartition("=")
    return verb.strip(), float(most_ms)


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
