r"""The file that Locust loads: its options, and a run from start to results.

`python -m loadtest` starts a server and runs this file. On a server that is up and has the items:

    locust -f loadtest/locustfile.py --headless --users 64 --spawn-rate 64 --target HOST:PORT \
        --rate 500 --duration-s 60 --run-time 75

From several machines: the same line with `--master --expect-workers 2` on one of them, and with
`--worker --master-host HOST` instead of `--headless` on two others, and on all three
`--load-workers 2 --clients 64`.
"""

from __future__ import annotations

from grpc.experimental.gevent import init_gevent

init_gevent()  # Before any channel is made: gRPC must wait as gevent does, not block all greenlets.

# ruff: noqa: E402
import os
import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from locust import events
from locust.env import Environment
from locust.runners import MasterRunner

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from loadtest.ack_ledger import AckLedger
from loadtest.locust_users import LoadRun, Visitor
from loadtest.noted_client import NotedClient
from loadtest.results import Recorder
from loadtest.shapes import SHAPES, RateCurve
from loadtest.traffic import Arrivals, Population, Zipf
from loadtest.worlds import WORLDS
from penchant_sdk import Penchant

__all__ = ["Visitor"]

_SPAWNING_S = 1.0


def add_options(parser: ArgumentParser) -> None:
    """Adds the options of this load test to Locust's."""
    parser.add_argument(
        "--target",
        default="localhost:8001",
        help="gRPC address of the server, host:port; of several, with commas",
    )
    parser.add_argument("--world", choices=list(WORLDS), default="shop", help="who the users are")
    parser.add_argument("--shape", choices=list(SHAPES), default="steady", help="of the load")
    parser.add_argument(
        "--rate", type=float, default=0.0, help="highest arrivals per second; 0: a closed loop"
    )
    parser.add_argument("--warm-up-s", type=float, default=5.0, help="seconds not recorded")
    parser.add_argument("--duration-s", type=float, default=60.0, help="seconds recorded")
    parser.add_argument("--items", type=int, default=2000, help="items in the catalog")
    parser.add_argument(
        "--visitors", type=int, default=10_000, help="users who may start a session"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the traffic")
    # Text, since Locust sends options to its workers as they are.
    parser.add_argument("--results", default="", help="file for the latencies, one a worker")
    parser.add_argument(
        "--acks",
        default="",
        help="files for what was acknowledged, NAME-0.jsonl and so on; each step of a session then "
        "goes to another server, and counts as that server's",
    )
    parser.add_argument(
        "--load-workers", type=int, default=1, help="processes that share the arrivals"
    )
    parser.add_argument(
        "--clients", type=int, default=0, help="clients of all workers; 0: Locust's --users"
    )


def begin(environment: Environment, **_: Any) -> None:
    """Makes the shared state of the users before the first one starts."""
    if isinstance(environment.runner, MasterRunner):
        return  # It only counts what the workers send it.
    options: Any = environment.parsed_options
    curve = RateCurve.of(options.shape, options.rate, options.duration_s, options.warm_up_s)
    worker = _worker_number(environment)
    penchant = _client(options, worker)
    population = Population(Zipf(options.visitors, 1.0), Zipf(options.items, 0.8))
    Visitor.run_state = LoadRun(
        penchant=penchant,
        sessions=WORLDS[options.world].sessions(penchant, population, options.items),
        recorder=Recorder(),
        seed=options.seed,
        start=time.perf_counter() + _SPAWNING_S,
        warm_up_s=options.warm_up_s,
        end_s=options.warm_up_s + options.duration_s,
        arrivals=Arrivals(curve, options.clients or options.num_users) if options.rate else None,
        worker=worker,
        workers=options.load_workers,
    )


def end(environment: Environment, **_: Any) -> None:
    """Closes the client and writes what was recorded."""
    if isinstance(environment.runner, MasterRunner):
        return
    options: Any = environment.parsed_options
    Visitor.run_state.penchant.close()
    if options.results:
        path = Path(options.results)
        number = Visitor.run_state.worker
        Visitor.run_state.recorder.write(path.with_name(f"{path.stem}-{number}{path.suffix}"))


def _client(options: Any, worker: int) -> Penchant:
    token = os.environ.get("PENCHANT_TOKEN") or None
    if not options.acks:
        return Penchant(options.target, token=token)
    ledger = AckLedger(Path(f"{options.acks}-{worker}.jsonl"))
    return NotedClient(options.target.split(","), ledger, token=token)


def _worker_number(environment: Environment) -> int:
    """The place of this process among the workers; 0 without any."""
    return int(getattr(environment.runner, "worker_index", 0))


_hooks: Any = events  # Locust's hooks have no types.
_hooks.init_command_line_parser.add_listener(add_options)
_hooks.test_start.add_listener(begin)
_hooks.test_stop.add_listener(end)
