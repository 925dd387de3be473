"""The clock beside a real server: what a refresh costs, and what rankings notice of it.

`python -m benchmarks.refresh_beside`: MovieLens-100K in a Triton's store, and `penchant refresh
--every` as `penchant serve` runs it. The first refresh reads 96,000 ratings and learns the weights;
each later one finds 1,000 new ratings. One client ranks without a pause, first with the clock
waiting, then while it refreshes.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from demos.demo_server import make_server, store_in
from demos.fill_server import EVENTS_PER_CALL, feed, in_calls, put_items
from penchant.launch.refresh_process import RefreshProcess
from penchant.logs.datasets.movielens import read_movielens
from penchant.report.quantile import quantile
from penchant_sdk import Penchant

FIRST, EACH, TIMES = 96_000, 1000, 4
QUIET_S = 6.0
_REFRESHED = re.compile(r"Refreshed in ([0-9.]+) s from ([0-9,]+) events, ([0-9,]+) users read")


def ranked_until(penchant: Penchant, users: list[str], over: Callable[[], bool]) -> list[float]:
    """Ranks for one user after the other; seconds of each call."""
    seconds: list[float] = []
    for user in itertools.cycle(users):
        if over():
            return seconds
        began = time.perf_counter()
        penchant.rank(user, k=10, exclude_seen=True)
        seconds.append(time.perf_counter() - began)
    return seconds


def summary(seconds: list[float]) -> dict[str, float]:
    """Number of calls, p50 and p99 in milliseconds."""
    p50, p99 = (round(quantile(seconds, share) * 1e3, 2) for share in (0.5, 0.99))
    return {"calls": len(seconds), "p50_ms": p50, "p99_ms": p99}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", type=Path, default=Path(".penchant/encoder"))
    parser.add_argument("--first", type=int, default=FIRST, help="ratings before the first refresh")
    parser.add_argument("--times", type=int, default=TIMES, help="refreshes that follow it")
    options = parser.parse_args()
    first, times = options.first, options.times
    data = read_movielens()
    users = sorted({event.user for event in data.ratings[:first]})
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        with make_server(directory, options.encoder.absolute()) as server:
            clock = RefreshProcess(store_in(directory), 0.2, directory, print)
            penchant = Penchant(server.target, timeout_s=30)
            put_items(penchant, data.films, lambda units: None)
            in_calls(
                data.ratings[:first],
                EVENTS_PER_CALL,
                lambda some: feed(penchant, some),
                lambda units: None,
            )

            def refreshes() -> list[tuple[str, ...]]:
                return [match.groups() for match in _REFRESHED.finditer(clock.log_path.read_text())]

            clock.start()
            try:
                quiet, busy = [], []
                while not refreshes():
                    time.sleep(0.1)
                for number in range(times):
                    quiet += ranked_until(penchant, users, _after(QUIET_S / times))
                    begin = first + number * EACH
                    feed(penchant, data.ratings[begin : begin + EACH])
                    known = len(refreshes())
                    done = threading.Event()
                    watch = threading.Thread(target=_wait, args=(refreshes, known, done))
                    watch.start()
                    busy += ranked_until(penchant, users, done.is_set)
                    watch.join()
            finally:
                clock.stop()
            figures = {
                "refreshes": [
                    {"seconds": float(took), "events": events, "users_read": read}
                    for took, events, read in refreshes()
                ],
                "rank_while_it_waits": summary(quiet),
                "rank_while_it_refreshes": summary(busy),
            }
    print(json.dumps(figures, indent=1))


def _after(seconds: float) -> Callable[[], bool]:
    ends_s = time.monotonic() + seconds
    return lambda: time.monotonic() > ends_s


def _wait(
    refreshes: Callable[[], list[tuple[str, ...]]], known: int, done: threading.Event
) -> None:
    while len(refreshes()) == known:
        time.sleep(0.05)
    done.set()


if __name__ == "__main__":
    main()
