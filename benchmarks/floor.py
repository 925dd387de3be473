"""How far above the floor are Penchant's calls, and does that grow with the number of users?

The floor is a Python model that does nothing, on the same server and called by the same client. Run
with `make bench`; `docs/measurements/benchmarks.md` says what each row means.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rich.console import Console

from benchmarks import calls, client, floor_models, machine, prepare
from benchmarks.bench_history import BenchHistory
from benchmarks.bench_in_process import rank_in_process
from benchmarks.bench_report import rows_of
from benchmarks.encoder import encoder_directory
from benchmarks.rounds import Measure, run
from benchmarks.table import RatioRow, missed, render, write_json
from penchant.config import Config
from penchant.encoder.bundle import read_bundle
from penchant.launch import Server
from penchant.system.native_module import native_choice


@dataclass(frozen=True, slots=True)
class WorkloadSize:
    """Size of the stores and number of rounds."""

    rounds: int
    alone_s: float
    """Seconds of each measure with one client."""
    crowd_s: float
    """Seconds of each measure with many clients."""
    items: int
    few_users: int
    """Users of the first server."""
    many_users: int
    """Users of the second server."""
    full_users: int = 200
    """Further users of the first one, whose windows are full."""


FULL = WorkloadSize(9, 0.5, 1.0, 100_000, 1_000, 200_000)
QUICK = WorkloadSize(2, 0.1, 0.2, 5_000, 200, 2_000)
FULL_WINDOW = 256
HISTORY = Path(__file__).resolve().parents[1] / "build" / "bench-history.jsonl"
_DAY_US = 86_400_000_000


class FloorBench:
    """All measures, on two servers that differ only in the number of users."""

    def __init__(self, pool: ProcessPoolExecutor, size: WorkloadSize, as_of_us: int) -> None:
        self._pool = pool
        self._size = size
        self._rank = calls.CallRecipe(
            "rank",
            calls.RANK_MODEL,
            size.few_users,
            size.items,
            candidates=min(100, size.items),
            as_of_us=as_of_us,
        )
        self._feedback = calls.CallRecipe(
            "feedback", calls.FEEDBACK_MODEL, size.few_users, size.items
        )
        self._salt = 0
        self.most_client_cores = 0.0

    def in_process(self, store: Path, encoder: Path) -> dict[str, Measure]:
        """The measures without Triton, by name; none where the compiled module does not run.

        Args:
            store: of the server with few users.
            encoder: the server's.
        """
        if not native_choice().runs:
            return {}
        return {
            f"rank in process, {name}": self._in_process(store, encoder, native)
            for name, native in (("native", True), ("NumPy", False))
        }

    def _in_process(self, store: Path, encoder: Path, native: bool) -> Measure:
        seconds, seed = self._size.alone_s, self._next_seed()
        return lambda number: self._pool.submit(
            rank_in_process, store, encoder, self._rank, native, seconds, seed + number
        ).result()

    def measures(self, few: str, many: str, vectors: Path, dimensions: int) -> dict[str, Measure]:
        """All measures by name.

        Args:
            few: gRPC address of the server with few users.
            many: gRPC address of the server with many users.
            vectors: file of the item vectors.
            dimensions: length of an item vector.
        """
        size, rank, feedback = self._size, self._rank, self._feedback
        as_of_us = rank.as_of_us or 0
        floor = calls.floor(floor_models.FLOOR_RANK)
        writer_floor = calls.floor(floor_models.FLOOR_FEEDBACK)
        search = replace(rank, verb="search", candidates=0)
        rank_many = replace(rank, users=size.many_users)
        feedback_many = replace(feedback, users=size.many_users)
        return {
            "floor, alone": self._alone(few, floor),
            "floor with BYTES, alone": self._alone(few, calls.floor(floor_models.FLOOR_BYTES)),
            "rank, alone": self._alone(few, rank),
            "rank with a fold, alone": self._alone(few, replace(rank, as_of_us=as_of_us + _DAY_US)),
            "rank with a fold of 256, alone": self._alone(
                few,
                replace(
                    rank,
                    first_user=size.few_users,
                    users=size.few_users + size.full_users,
                    as_of_us=as_of_us + _DAY_US,
                ),
            ),
            "rank of 500, alone": self._alone(few, replace(rank, candidates=min(500, size.items))),
            "search, alone": self._alone(few, search),
            "NumPy alone": lambda number: self._pool.submit(
                client.bare_search, vectors, dimensions, size.items, search.k, size.alone_s
            ).result(),
            "rank, few users": self._alone(few, rank),
            "rank, many users": self._alone(many, rank_many),
            "feedback, few users": self._alone(few, feedback),
            "feedback, many users": self._alone(many, feedback_many),
            "floor, 16 clients": self._crowd(few, floor, 16),
            "rank, 16 clients": self._crowd(few, rank, 16),
            "floor, 32 clients": self._crowd(few, writer_floor, 32),
            "feedback, 32 clients": self._crowd(few, feedback, 32),
        }

    def _alone(self, target: str, recipe: calls.CallRecipe) -> Measure:
        seconds, seed = self._size.alone_s, self._next_seed()
        return lambda number: self._pool.submit(
            client.alone, target, recipe, seconds, seed + number
        ).result()

    def _crowd(self, target: str, recipe: calls.CallRecipe, clients: int) -> Measure:
        seconds, seed = self._size.crowd_s, self._next_seed()

        def measure(number: int) -> float:
            job = self._pool.submit(client.crowd, target, recipe, clients, seconds, seed + number)
            load = job.result()
            self.most_client_cores = max(self.most_client_cores, load.client_cores)
            return load.per_second

        return measure

    def _next_seed(self) -> int:
        """Seeds that no other measure uses: an event id sent twice would be a duplicate."""
        self._salt += 1
        return 1000 * self._salt


def bench(
    size: WorkloadSize, encoder: Path, directory: Path, say: Callable[[str], None]
) -> tuple[list[RatioRow], list[str]]:
    """Runs all measures and returns the table's rows and notes.

    Args:
        size: how much to measure.
        encoder: directory of the encoder; only its dimensions matter.
        directory: an empty directory for stores and servers.
        say: called with a description of each step.
    """
    say(f"Preparing {size.items:,} items and {size.many_users:,} users")
    as_of_us = prepare.now()
    few, many = (prepare.config_for(directory / name, encoder) for name in ("few", "many"))
    vectors = prepare.fill_catalog(few, size.items)
    prepare.fill_users(few, size.few_users, as_of_us)
    shutil.copytree(directory / "few", directory / "many")
    prepare.fill_users(many, size.many_users, as_of_us, first=size.few_users)
    full = size.few_users + size.full_users
    prepare.fill_users(few, full, as_of_us, first=size.few_users, window_events=FULL_WINDOW)
    noop = floor_models.write(directory / "noop")
    say("Starting two servers")
    with ExitStack() as stack:
        first = _start(stack, directory / "server-few", few, noop)
        second = _start(stack, directory / "server-many", many)
        pool = stack.enter_context(client.client_process())
        measuring = FloorBench(pool, size, as_of_us)
        dimensions = read_bundle(encoder).settings.dimensions
        measures = measuring.measures(first.target, second.target, vectors, dimensions)
        measures |= measuring.in_process(directory / "few", encoder)
        facts = machine.facts(directory)
        series = run(measures, size.rounds, say)
        memories = machine.memory(first.pids()), machine.memory(second.pids())
    rows = rows_of(series, *memories, (size.few_users, size.many_users))
    notes = [
        facts,
        f"hot path: {native_choice().reason}",
        f"{size.rounds} rounds of all measures; ratios are medians over the rounds",
        "floor: one FP32 number, with the processes and batching of the model it is compared with",
        f"the client used at most {measuring.most_client_cores:.2f} cores",
        f"{size.items:,} items; each user has {prepare.WINDOW_EVENTS} events in the record "
        f"({FULL_WINDOW} for the fold of {FULL_WINDOW}) and "
        f"{prepare.LOGGED_EVENTS} in the log; each feedback call is one new event, synced to disk",
    ]
    return rows, notes


def _start(
    stack: ExitStack, directory: Path, config: Config, more_models: Path | None = None
) -> Server:
    arguments = [] if more_models is None else [f"--model-repository={more_models}"]
    settings = {"store": config.store, "encoder": str(config.encoder)}
    return stack.enter_context(Server(directory, settings, arguments=arguments))


def main(arguments: list[str] | None = None) -> int:
    """Runs the benchmark from the command line and returns its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the numbers as JSON")
    parser.add_argument(
        "--quick", action="store_true", help="a small, short run to see whether it works"
    )
    parser.add_argument(
        "--strict", action="store_true", help="exit with status 1 if a target is missed"
    )
    parser.add_argument(
        "--history",
        type=Path,
        metavar="FILE",
        default=HISTORY,
        help="ratios of earlier full runs, to which this one is compared and added",
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="number of rounds")
    parser.add_argument(
        "--encoder",
        type=Path,
        metavar="DIR",
        help="encoder whose dimensions to use; no text is encoded",
    )
    options = parser.parse_args(arguments)
    # SIGTERM ends it as Ctrl-C does: the servers are stopped and their files are removed.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    size = QUICK if options.quick else FULL
    if options.rounds:
        size = replace(size, rounds=options.rounds)
    console = Console(width=None if sys.stdout.isatty() else 120)
    with console.status("Starting") as status:
        encoder = encoder_directory(options.encoder, status.update)
        with tempfile.TemporaryDirectory(prefix="penchant-bench-") as directory:
            rows, notes = bench(size, encoder, Path(directory), status.update)
    if not options.quick:
        notes += BenchHistory(options.history).add(rows, native_choice().runs)
    render(rows, notes, console)
    if options.json:
        write_json(options.json, rows, notes)
    return 1 if options.strict and missed(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
