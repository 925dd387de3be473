"""`python -m loadtest`: a fresh server, its capacity, then a load of some shape.

Open loops over the users of a world (shop, ads, games, homes): `steady`, half of the capacity;
`soak`, 70 % of it for half an hour; `ramp`, from a tenth to 90 %; `spike`, three times as much for
a tenth of the run; `diurnal`, a day in four minutes. `overload`: for each kind of call, half of its
capacity, three times as much as it can bear, half again.

With `--cluster`, two servers share a Valkey cluster of six nodes. Each step of a session goes to
the other server than the one before, latencies are told apart by server, and every acknowledged
event is looked for in the store afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.encoder import encoder_directory
from loadtest.ack_ledger import read_ledgers
from loadtest.kept_acks import held_against
from loadtest.load_report import LoadReport, Thresholds, broken
from loadtest.loaded_servers import filled_server, servers_on_a_cluster
from loadtest.locust_run import Load, LoadTestError, run_locust
from loadtest.overload import overload
from loadtest.overload_calls import KINDS, USUAL_KINDS
from loadtest.overload_report import OverloadReport
from loadtest.resources import ResourceWatch, growth, trends
from loadtest.results import by_server
from loadtest.shapes import SHAPES, SHARE_OF_CAPACITY, USUAL_S, RateCurve
from loadtest.store_watch import StoreWatch
from loadtest.worlds import WORLDS
from penchant.domain.errors import ConfigError
from penchant.launch import LaunchError
from penchant.store.open import open_store

CAPACITY_CLIENTS = 16
CAPACITY_S = 10.0
CAPACITY_WARM_UP_S = 3.0
WARM_UP_S = 5.0
CLUSTER_S = {"steady": 60.0}
"""Seconds of a shape on a cluster, where they are not as usual: all of it in five minutes."""
CLUSTER_SLACK = 5.0
"""Largest p99 on a cluster over that of one server: ten more processes share the machine."""
TIMELINE = 60
"""Looks at the processes that a report keeps, about."""


def load_test(options: argparse.Namespace, encoder: Path, console: Console) -> LoadReport:
    """Runs the whole load test on servers with an empty store, which are stopped in any case."""
    shape, world = options.shape, WORLDS[options.world]
    html = options.out / f"{report_name(options)}.html"
    start = servers_on_a_cluster if options.cluster else filled_server
    with start(options, encoder, console) as servers:
        scratch, targets, status = servers.scratch, servers.targets, servers.status
        capacity, rate = None, options.rate
        ledgers = scratch / "acks-capacity", scratch / "acks-load"
        asked, loaded = ledgers if options.cluster else (None, None)
        if rate is None:
            closed = capacity_load(options.retention_s)
            took_s = closed.warm_up_s + closed.duration_s
            status.update(f"Measuring capacity for {took_s:g} s")
            with StoreWatch(servers.store, scratch, options.retention_s):
                capacity = run_locust(targets, closed, "steady", options, scratch, None, asked).rate
            rate = SHARE_OF_CAPACITY[shape] * capacity
        status.update(f"{rate:,.0f} arrivals per second, {shape}, {options.duration_s:g} s")
        load = Load(options.users, rate, WARM_UP_S, options.duration_s)
        retained = options.retention_s is not None
        with (
            ResourceWatch(
                lambda: servers.processes() | (servers.nodes() if retained else {})
            ) as watch,
            StoreWatch(servers.store, scratch, options.retention_s) as store,
        ):
            measured = run_locust(targets, load, shape, options, scratch, html, loaded)
        kept = None
        if options.cluster:
            status.update("Looking for every acknowledged event in the store")
            with contextlib.closing(open_store(servers.store)) as opened:
                acks = read_ledgers(scratch.glob("acks-*.jsonl"))
                kept = held_against(opened, acks, deleted_until_s=store.deleted_until_s)
    curve = RateCurve.of(shape, rate, options.duration_s)
    due = curve.arrivals(options.duration_s)
    most_ms = {**world.p99_ms, **dict(options.p99_ms)}
    if options.cluster:
        numbers = range(1, len(targets) + 1)
        slack = {verb: CLUSTER_SLACK * most for verb, most in world.p99_ms.items()}
        most_ms = {
            by_server(verb, n): most
            for n in numbers
            for verb, most in {**slack, **dict(options.p99_ms)}.items()
        }
    grown = growth(watch.samples)
    missed = broken(measured, due, Thresholds(p99_ms=most_ms)) + (grown or [])
    missed += store.failed + ([] if kept is None else kept.broken())
    title = f"{options.world}, {shape}" + (f", {len(targets)} servers" if options.cluster else "")
    return LoadReport(
        title,
        capacity,
        rate,
        options.users,
        measured,
        missed,
        trends(watch.samples),
        grown is not None,
        kept,
        watch.samples[:: max(1, len(watch.samples) // TIMELINE)],
        store.samples,
    )


def capacity_load(retention_s: float | None) -> Load:
    """The closed loop that measures the capacity.

    Deletions take a share of the machine once the first events are old enough: with a retention,
    what is measured begins after that.

    >>> capacity_load(None).warm_up_s, capacity_load(240.0).warm_up_s
    (3.0, 360.0)
    """
    if retention_s is None:
        return Load(CAPACITY_CLIENTS, 0.0, CAPACITY_WARM_UP_S, CAPACITY_S)
    return Load(CAPACITY_CLIENTS, 0.0, 1.5 * retention_s, max(CAPACITY_S, 0.5 * retention_s))


def report_name(options: argparse.Namespace) -> str:
    """Name of the report's files."""
    if options.shape == "overload":
        return "overload"
    return "loadtest-cluster" if options.cluster else "loadtest"


def overload_test(options: argparse.Namespace, encoder: Path, console: Console) -> OverloadReport:
    """Overloads a server with an empty store, which is stopped in any case."""
    with (
        filled_server(options, encoder, console) as servers,
        ResourceWatch(servers.processes) as watch,
    ):
        figures = asyncio.run(
            overload(servers.targets[0], options.kinds, options.phase_s, servers.status.update)
        )
    return OverloadReport(figures, trends(watch.samples))


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
        "--cluster",
        action="store_true",
        help="two servers on a Valkey cluster of six nodes, instead of one on an embedded store",
    )
    parser.add_argument(
        "--retention-s", type=float, help="cluster: delete events of this age while the load runs"
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
        usual_s = CLUSTER_S if options.cluster else USUAL_S
        options.duration_s = usual_s.get(options.shape, USUAL_S.get(options.shape, 1.0))
    if options.items is None:
        options.items = WORLDS[options.world].usual_items
    if options.shape == "overload" and options.world != "shop":
        parser.error(f"--world: got {options.world}, expected shop: overload has calls of its own")
    if options.shape == "overload" and options.cluster:
        parser.error("--cluster: got it with overload, expected another shape")
    if options.retention_s is not None and (not options.cluster or options.retention_s <= 0):
        parser.error("--retention-s: expected more than 0, with --cluster")
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
    except KeyboardInterrupt:
        console.print("Stopped: all that it had started has ended.")
        return 130
    name = report_name(options)
    path = options.out / f"{name}.json"
    report.write(path)
    report.show(console)
    html = "" if name == "overload" else f"{options.out / f'{name}.html'}, "
    console.print(f"Reports: {html}{path}")
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
