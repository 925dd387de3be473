"""What a client of two endpoints costs and gains: `python -m benchmarks.client_endpoints`.

The endpoints are stubs, in processes of their own, which answer at once, after a delay, or after a
delay now and then. All rows are measured in each round, every second round backwards. In turn is
what a plain `round_robin` does: the caller alternates between two clients of one endpoint each.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path

import numpy as np

from penchant_sdk import Penchant

ROUNDS, CALLS = 12, 250
TIMEOUT_S = 10.0
DELAY_MS, NOW_AND_THEN = 50, 0.02
ROOT = Path(__file__).resolve().parents[1]

Rank = Callable[[str], object]


@contextmanager
def _endpoint(ledger: Path, delay_ms: float = 0.0, share: float = 1.0) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.support.stub_endpoint", "0", str(ledger)]
    with subprocess.Popen(
        [*command, str(delay_ms), str(share)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield f"127.0.0.1:{process.stdout.readline().strip()}"
        process.kill()


def _milliseconds(rank: Rank) -> list[float]:
    found = []
    for _ in range(CALLS):
        started = time.perf_counter()
        rank("u")
        found.append(1e3 * (time.perf_counter() - started))
    return found


def _in_turn(clients: list[Penchant]) -> Rank:
    turn = cycle(clients)
    return lambda user: next(turn).rank(user)


def main() -> None:
    """Measures and prints the table."""
    with ExitStack() as stack:
        ledger = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "ledger"
        quick, other = (stack.enter_context(_endpoint(ledger)) for _ in range(2))
        slow = stack.enter_context(_endpoint(ledger, DELAY_MS))
        uneven = [stack.enter_context(_endpoint(ledger, DELAY_MS, NOW_AND_THEN)) for _ in range(2)]

        def client(*targets: str, hedged: bool = False) -> Penchant:
            return stack.enter_context(
                Penchant(targets, timeout_s=TIMEOUT_S, hedge_after_ms="p95" if hedged else None)
            )

        rows: dict[str, Rank] = {
            "one endpoint": client(quick).rank,
            "two endpoints": client(quick, other).rank,
            "two endpoints, hedged": client(quick, other, hedged=True).rank,
            "one slow of two, in turn": _in_turn([client(quick), client(slow)]),
            "one slow of two": client(quick, slow).rank,
            "one slow of two, hedged": client(quick, slow, hedged=True).rank,
            "slow now and then": client(*uneven).rank,
            "slow now and then, hedged": client(*uneven, hedged=True).rank,
        }
        times: dict[str, list[float]] = {name: [] for name in rows}
        medians: dict[str, list[float]] = {name: [] for name in rows}
        for round_ in range(ROUNDS + 1):
            for name in list(rows)[:: -1 if round_ % 2 else 1]:
                found = _milliseconds(rows[name])
                if round_:  # The first one warms up, and teaches the hedged ones their delay.
                    times[name] += found
                    medians[name].append(float(np.median(found)))
        print("| rank | p50, ms | p99, ms | p50 against one endpoint |\n|---|---|---|---|")
        for name, found in times.items():
            against = np.median(np.divide(medians[name], medians["one endpoint"]))
            p50, p99 = np.percentile(found, [50, 99])
            print(f"| {name} | {p50:.2f} | {p99:.2f} | {against:.2f} |")


if __name__ == "__main__":
    main()
