"""How many calls do real servers answer on Valkey, over as many as on LMDB, and what do they cost?

`python -m benchmarks.valkey_served`: three Tritons on one machine, one on LMDB and two on one
Valkey server beside them, all syncing each commit, with the same items and users. Clients send to
them in turns, in one run, so that a slow spell of the machine strikes all alike: rankings of 100
candidates and feedback of one event, by one client at a time and by many at once; and by many to
both servers on Valkey at once.

Prints for each kind of call its calls a second, the processor time that a call takes of the server
and of Valkey, the ratio to LMDB, and the ratio of two servers to one, over which stands what the
costs of one predict: a call costs each part the same wherever it is sent. `--output` keeps it.
"""

from __future__ import annotations

import argparse
import json
import signal
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import psutil

from benchmarks import calls, client, machine, prepare
from benchmarks.encoder import encoder_directory
from penchant.config import Config, parse
from penchant.launch import Server
from penchant.store.open import open_store
from penchant.system.durable_file import write_whole
from tests.support.valkey_servers import (
    ValkeyNode,
    durability,
    valkey_cluster,
    valkey_server,
)

LMDB, ONE, TWO = "lmdb", "valkey", "two servers on valkey"
RANK_CLIENTS, FEEDBACK_CLIENTS = 16, 32
_CHUNK = 100
"""Users of a transaction: small enough for the time limit of a call to Valkey."""


@dataclass(frozen=True, slots=True)
class ServedSize:
    """How much is measured."""

    rounds: int = 5
    seconds: float = 2.0
    """Of each measure in a round."""
    items: int = 5_000
    users: int = 2_000


@dataclass(frozen=True, slots=True)
class ServedFleet:
    """Servers of one store, and the store's own processes."""

    name: str
    servers: Sequence[Server]
    nodes: Sequence[ValkeyNode] = ()

    def cpu_s(self) -> tuple[float, float]:
        """Processor time so far of all servers' processes, and of the store's."""
        mine = [pid for server in self.servers for pid in (server.pid, *server.pids().values())]
        nodes = [node.process.pid for node in self.nodes if node.process is not None]
        return sum(map(_cpu_s, filter(None, mine))), sum(map(_cpu_s, nodes))


@dataclass(slots=True)
class ServedCost:
    """One kind of call on one fleet, a value a round."""

    calls: str
    fleet: str
    per_s: list[float] = field(default_factory=list)
    server_us: list[float] = field(default_factory=list)
    """Processor time of the servers' processes, for a call."""
    store_us: list[float] = field(default_factory=list)
    """The same of Valkey's."""


class ServedBench:
    """All measures, each with a client process for each server."""

    def __init__(
        self, fleets: Sequence[ServedFleet], pools: Sequence[ProcessPoolExecutor], size: ServedSize
    ) -> None:
        self._fleets, self._pools, self._size = fleets, pools, size
        self._seed = 0

    def run(self, now_us: int, say: Callable[[str], None]) -> list[ServedCost]:
        """Every measure once per round, in reverse order in every second round."""
        size = self._size
        rank = calls.CallRecipe(
            "rank", calls.RANK_MODEL, size.users, size.items, min(100, size.items), as_of_us=now_us
        )
        feedback = calls.CallRecipe("feedback", calls.FEEDBACK_MODEL, size.users, size.items)
        kinds = [(rank, 1), (feedback, 1), (rank, RANK_CLIENTS), (feedback, FEEDBACK_CLIENTS)]
        measures = [
            (ServedCost(f"{recipe.verb}, {_counted(clients)}", fleet.name), fleet, recipe, clients)
            for recipe, clients in kinds
            for fleet in self._fleets
            if clients >= len(fleet.servers)
        ]
        for number in range(size.rounds):
            for measure in measures if number % 2 == 0 else measures[::-1]:
                say(f"Round {number + 1} of {size.rounds}: {measure[0].calls}, {measure[0].fleet}")
                self._measure(*measure)
        return [measure[0] for measure in measures]

    def _measure(
        self, cost: ServedCost, fleet: ServedFleet, recipe: calls.CallRecipe, clients: int
    ) -> None:
        before, seconds = fleet.cpu_s(), self._size.seconds
        each = clients // len(fleet.servers)
        jobs = []
        for pool, server in zip(self._pools, fleet.servers, strict=False):
            self._seed += 1
            jobs.append(pool.submit(client.crowd, server.target, recipe, each, seconds, self._seed))
        per_s = sum(job.result().per_second for job in jobs)
        server_s, store_s = (
            late - early for late, early in zip(fleet.cpu_s(), before, strict=True)
        )
        cost.per_s.append(per_s)
        cost.server_us.append(server_s / (per_s * seconds) * 1e6)
        cost.store_us.append(store_s / (per_s * seconds) * 1e6)


def ratio(costs: Sequence[ServedCost], calls_: str, mine: str, peer: str) -> float | None:
    """Calls per second of a fleet over another's, the median over the rounds; None: not measured.

    >>> ratio([ServedCost("rank", "a", [2.0, 9.0]), ServedCost("rank", "b", [1.0, 3.0])],
    ...       "rank", "a", "b")
    2.5
    """
    found = {cost.fleet: cost.per_s for cost in costs if cost.calls == calls_}
    if mine not in found or peer not in found:
        return None
    pairs = zip(found[mine], found[peer], strict=True)
    return round(statistics.median(one / other for one, other in pairs), 2)


def rows_of(costs: Sequence[ServedCost]) -> list[dict[str, object]]:
    """One row for each kind of call and fleet, medians over the rounds."""
    peers = {LMDB: LMDB, ONE: LMDB, TWO: ONE}
    return [
        {
            "calls": cost.calls,
            "fleet": cost.fleet,
            "per_s": round(statistics.median(cost.per_s)),
            "server_us": round(statistics.median(cost.server_us)),
            "store_us": round(statistics.median(cost.store_us)),
            "over": peers[cost.fleet],
            "ratio": ratio(costs, cost.calls, cost.fleet, peers[cost.fleet]),
        }
        for cost in costs
    ]


def bytes_a_user(config: Config, size: ServedSize, now_us: int) -> float:
    """Fills a store with items and users; returns what a user takes of it."""
    prepare.fill_catalog(config, size.items)
    before = _used(config)
    prepare.fill_users(config, size.users, now_us, chunk=_CHUNK)
    return (_used(config) - before) / size.users


@contextmanager
def fleets(
    size: ServedSize, encoder: Path, now_us: int, *, cluster: bool
) -> Iterator[tuple[list[ServedFleet], dict[str, float]]]:
    """The servers on LMDB and on Valkey, filled, and what a user takes of each store, in bytes."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="penchant-served-")))
        always = durability("always")
        if cluster:
            six = stack.enter_context(valkey_cluster(place / "nodes", *always))
            address, nodes = six.address_of("served") + "?wait=1", six.nodes
        else:
            alone = stack.enter_context(valkey_server(place / "nodes", *always))
            address, nodes = f"valkey://{alone.name}/served", [alone]
        embedded = prepare.config_for(place / "lmdb", encoder)
        shared = [
            parse({"store": address, "encoder": str(encoder), "state_dir": str(place / name)})
            for name in ("state-1", "state-2")
        ]
        taken = {
            LMDB: bytes_a_user(embedded, size, now_us),
            ONE: bytes_a_user(shared[0], size, now_us),
        }
        servers = [
            stack.enter_context(Server(place / f"server-{number}", _settings(config)))
            for number, config in enumerate((embedded, *shared))
        ]
        yield (
            [
                ServedFleet(LMDB, servers[:1]),
                ServedFleet(ONE, servers[1:2], nodes),
                ServedFleet(TWO, servers[1:], nodes),
            ],
            taken,
        )


def _used(config: Config) -> int:
    with closing(open_store(config.store)) as store:
        return store.usage().used_bytes


def _settings(config: Config) -> Mapping[str, str]:
    state = {"state_dir": str(config.state_dir)} if config.state_dir else {}
    return {"store": config.store, "encoder": str(config.encoder), **state}


def _cpu_s(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def _counted(clients: int) -> str:
    return "1 client" if clients == 1 else f"{clients} clients"


def main() -> None:
    """Prints one line for each kind of call and fleet."""
    usual = ServedSize()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=usual.rounds)
    parser.add_argument("--seconds", type=float, default=usual.seconds)
    parser.add_argument("--cluster", action="store_true", help="six nodes instead of one server")
    parser.add_argument("--encoder", type=Path, help="only its dimensions matter")
    parser.add_argument("--output", type=Path, help="file for the figures of all rounds")
    options = parser.parse_args()
    # SIGTERM ends it as Ctrl-C does: the servers are stopped and their files are removed.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    encoder = encoder_directory(options.encoder, say)
    size = replace(usual, rounds=options.rounds, seconds=options.seconds)
    now_us = prepare.now()
    say("Preparing two stores and three servers")
    with (
        fleets(size, encoder, now_us, cluster=options.cluster) as (found, taken),
        client.client_process() as one,
        client.client_process() as other,
    ):
        costs = ServedBench(found, [one, other], size).run(now_us, say)
    for row in rows_of(costs):
        print(json.dumps(row), flush=True)
    print(json.dumps({"bytes_a_user": {name: round(size) for name, size in taken.items()}}))
    if options.output:
        facts = machine.facts(Path.cwd())
        content = {
            "command": "python -m benchmarks.valkey_served",
            "machine": facts,
            "rows": rows_of(costs),
            "bytes_a_user": taken,
            "rounds": [asdict(cost) for cost in costs],
        }
        write_whole(options.output, json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
