"""Does a server always rank by what another one has just acknowledged?

`python -m benchmarks.read_your_writes`: the services of two servers, in two processes on one
Valkey. Each caller has a user of its own and goes from one server to the other: it feeds an event
at one, asks the other for a ranking of at least that version, feeds the next event there, and so
on. A miss is a ranking of an older version, one that is marked as degraded, or a refusal.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import shutil
import tempfile
import threading
import time
from collections import Counter
from multiprocessing.connection import Connection
from multiprocessing.queues import Queue
from pathlib import Path

from penchant.domain.errors import PenchantError
from penchant.service.rank import RankRequest
from penchant.store.open import open_store
from tests.support.histories import FILMS
from tests.support.valkey_servers import durability, valkey_server
from tests.support.world import World, liked

_FILMS = sorted(FILMS)


def _missed(world: World, user: str, version: int) -> str:
    """What is wrong with a ranking of at least a version; empty: nothing."""
    try:
        ranking = world.rank(RankRequest(user, 3, min_state_version=version))
    except PenchantError as error:
        return type(error).__name__
    if ranking.state_version != version:
        return f"{ranking.state_version - version:+d} versions"
    return "degraded" if ranking.degraded else ""


def _call(world: World, user: str, pipe: Connection, turns: int, misses: Counter[str]) -> None:
    """One side of a caller: ranks by what the other side has been told, and feeds the next."""
    for _ in range(turns):
        version = pipe.recv()
        if version:
            missed = _missed(world, user, version)
            misses.update([missed] if missed else [])
        (result,) = world.feed(liked(f"{user}/{version}", _FILMS[version % 6], user=user))
        pipe.send(result.state_version)


def _serve(
    address: str, directory: Path, pipes: list[Connection], turns: int, results: Queue[Counter[str]]
) -> None:
    misses: Counter[str] = Counter()
    with contextlib.closing(open_store(address)) as store:
        worlds = [World(directory, store=store) for _ in pipes]
        threads = [
            threading.Thread(target=_call, args=(world, f"caller{n}", pipe, turns, misses))
            for n, (world, pipe) in enumerate(zip(worlds, pipes, strict=True))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    results.put(misses)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alternations", type=int, default=100_000)
    parser.add_argument("--callers", type=int, default=4)
    options = parser.parse_args()
    turns = options.alternations // options.callers // 2
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as place:
        catalog = Path(place) / "catalog"
        catalog.mkdir()
        with valkey_server(Path(place) / "valkey", *durability("everysec")) as node:
            address = f"valkey://{node.name}/alternations"
            with contextlib.closing(open_store(address)) as store:
                World(catalog, store=store).put(**FILMS)
            pairs = [context.Pipe() for _ in range(options.callers)]
            results: Queue[Counter[str]] = context.Queue()
            servers = []
            for number in range(2):
                own = Path(shutil.copytree(catalog, Path(place) / f"catalog{number}"))
                ends = [pair[number] for pair in pairs]
                arguments = address, own, ends, turns, results
                servers.append(context.Process(target=_serve, args=arguments))
            began_s = time.monotonic()
            for server in servers:
                server.start()
            for _, there in pairs:
                there.send(0)  # The first turn is the first server's.
            misses = results.get() + results.get()
            took_s = time.monotonic() - began_s
            for server in servers:
                server.join()
    row = {
        "alternations": 2 * turns * options.callers - options.callers,
        "misses": sum(misses.values()),
        "of": dict(misses),
        "seconds": round(took_s, 1),
    }
    print(json.dumps(row))


if __name__ == "__main__":
    main()
