r"""The file that Locust loads: its options, and a run from start to results.

`python -m loadtest` starts a server and runs this file. On a server that is up and has the items:

    locust -f loadtest/locustfile.py --headless --users 64 --spawn-rate 64 --target HOST:PORT \
        --rate 500 --duration-s 60 --run-time 75
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

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from loadtest.locust_users import LoadRun, Visitor
from loadtest.results import Recorder
from loadtest.traffic import Arrivals, Population, Zipf
from penchant_sdk import Penchant

__all__ = ["Visitor"]

_SPAWNING_S = 1.0


def add_options(parser: ArgumentParser) -> None:
    """Adds the options of this load test to Locust's."""
    parser.add_argument(
        "--target", default="localhost:8001", help="gRPC address of the server, host:port"
    )
    parser.add_argument(
        "--rate", type=float, default=0.0, help="arrivals per second; 0: a closed loop"
    )
    parser.add_argument("--warm-up-s", type=float, default=5.0, help="seconds not recorded")
    parser.add_argument("--duration-s", type=float, default=60.0, help="seconds recorded")
    parser.add_argument("--items", type=int, default=2000, help="items in the catalog")
    parser.add_argument(
        "--visitors", type=int, default=10_000, help="users who may start a session"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of the traffic")
    parser.add_argument("--results", type=Path, help="JSON file for the latencies")


def begin(environment: Environment, **_: Any) -> None:
    """Makes the shared state of the users before the first one starts."""
    options: Any = environment.parsed_options
    arrivals = Arrivals(options.rate, options.num_users) if options.rate else None
    Visitor.run_state = LoadRun(
        penchant=Penchant(options.target, token=os.environ.get("PENCHANT_TOKEN") or None),
        population=Population(Zipf(options.visitors, 1.0), Zipf(options.items, 0.8)),
        recorder=Recorder(),
        seed=options.seed,
        start=time.perf_counter() + _SPAWNING_S,
        warm_up_s=options.warm_up_s,
        end_s=options.warm_up_s + options.duration_s,
        arrivals=arrivals,
    )


def end(environment: Environment, **_: Any) -> None:
    """Closes the client and writes the results."""
    options: Any = environment.parsed_options
    Visitor.run_state.penchant.close()
    if options.results:
        Visitor.run_state.recorder.results(options.duration_s).write(options.results)


_hooks: Any = events  # Locust's hooks have no types.
_hooks.init_command_line_parser.add_listener(add_options)
_hooks.test_start.add_listener(begin)
_hooks.test_stop.add_listener(end)
